/** Identity of one job: the same for every start of the same attempt, so that a second start finds the first. */
import { Option, Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"

/** Fit for a pod, a container or a directory: lower-case, at most 63 characters. */
export const JobId = Schema.String.check(Schema.isPattern(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)).pipe(
  Schema.brand("JobId")
)
export type JobId = typeof JobId.Type

/** The job of one attempt of an execution. `attempt` is 1 or more. */
export const jobIdOf = (executionId: ExecutionId, attempt: number): JobId =>
  JobId.make(`executor-${executionId}-${attempt}`)

/** The execution and the attempt that a job belongs to; `undefined` for a job that is not of our making. */
export const attemptOf = (
  jobId: JobId
): { readonly executionId: ExecutionId; readonly attempt: number } | undefined => {
  const [, id, attempt] = /^executor-([0-9a-f-]{36})-(\d{1,9})$/.exec(jobId) ?? []
  const executionId = Option.getOrUndefined(Schema.decodeUnknownOption(ExecutionId)(id))
  return executionId === undefined ? undefined : { executionId, attempt: Number(attempt) }
}
