/** Identity of one job: the same for every start of the same attempt, so that a second start finds the first. */
import { Schema } from "effect"
import type { ExecutionId } from "../executions/ExecutionId.ts"

/** Fit for a pod, a container or a directory: lower-case, at most 63 characters. */
export const JobId = Schema.String.check(Schema.isPattern(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)).pipe(
  Schema.brand("JobId")
)
export type JobId = typeof JobId.Type

/** The job of one attempt of an execution. `attempt` is 1 or more. */
export const jobIdOf = (executionId: ExecutionId, attempt: number): JobId =>
  JobId.make(`executor-${executionId}-${attempt}`)
