/** The durable process that carries an execution from accepted to ended. */
import { DateTime, Effect } from "effect"
import { executionIdOf } from "../ids/Subject.ts"
import { NodeSlots } from "../instances/NodeSlots.ts"
import { QueuePolicy } from "../queue/QueuePolicy.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import type { SagaDefinition } from "../sagas/SagaDefinition.ts"
import type { Execution } from "./Execution.ts"
import { ExecutionJobs } from "./ExecutionJobs.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import { makeAttemptEnd } from "./internal/attemptEnd.ts"
import { jobSteps, startedOf } from "./internal/jobSteps.ts"
import { preparationSteps } from "./internal/preparationSteps.ts"

export const name = "execution_saga"
export const version = 1

/** How long after its timeout a script's end may take to be reported before the saga itself stops it. */
const overdueMillis = 30_000

export const make = Effect.gen(function* () {
  const [executions, runtimes, slots] = [yield* ExecutionStore, yield* ScriptRuntimes, yield* NodeSlots]
  const [jobs, policy] = [yield* ExecutionJobs, yield* QueuePolicy]
  const end = yield* makeAttemptEnd({ name, version })
  const definition: SagaDefinition<Execution> = {
    name,
    version,
    load: ({ subject }) => {
      const executionId = executionIdOf(subject)
      return executionId === undefined ? Effect.succeedNone : executions.find(executionId)
    },
    steps: [...preparationSteps(runtimes), ...jobSteps(jobs, end)],
    deadline: (saga, { expiresAt, limits, startedAt }) =>
      startedAt === undefined
        ? (expiresAt ?? DateTime.add(saga.createdAt, { milliseconds: policy.ttlMillis }))
        : DateTime.add(startedAt, { milliseconds: limits.timeoutMillis + overdueMillis }),
    cleanup: Effect.fnUntraced(function* (context) {
      yield* slots.release(context.subject.executionId)
      const begun = startedOf(context)
      if (begun !== undefined) yield* jobs.remove(begun.handle)
    }),
    finalize: end.withoutJob
  }
  return definition
})
