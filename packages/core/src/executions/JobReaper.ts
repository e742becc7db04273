/** Frees jobs that ended and that no execution waits for: what a crash between the last commit and the clean-up left behind. */
import { Effect, Layer, Option } from "effect"
import { executionOf } from "../runtime/JobId.ts"
import type { RuntimeError } from "../runtime/RuntimeError.ts"
import type { JobSummary, ScriptRuntime } from "../runtime/ScriptRuntime.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { isTerminal } from "./ExecutionStatus.ts"
import { ExecutionStore } from "./ExecutionStore.ts"

/** Looks once a minute. A job whose execution is active, or is not ours, stays. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const runtimes = yield* ScriptRuntimes
    const executions = yield* ExecutionStore

    const isOver = Effect.fnUntraced(function* ({ handle, state }: JobSummary) {
      if (state !== "ended" && state !== "lost") return false
      const id = executionOf(handle.jobId)
      if (id === undefined) return false
      const execution = yield* executions.find(id)
      return Option.isNone(execution) || isTerminal(execution.value.status)
    })
    const reapJob = (runtime: ScriptRuntime, job: JobSummary): Effect.Effect<void, RuntimeError | StorageError> =>
      Effect.flatMap(isOver(job), (over) => (over ? runtime.remove(job.handle) : Effect.void))
    const reap = Effect.fnUntraced(
      function* (runtime: ScriptRuntime) {
        yield* Effect.forEach(yield* runtime.list, (job) => reapJob(runtime, job), { discard: true })
      },
      Effect.catchTags({
        RuntimeError: (error) => Effect.logWarning("Could not reap jobs; trying again later.", error),
        StorageError: (error) => Effect.logWarning("Could not reap jobs; trying again later.", error)
      })
    )
    const round = Effect.flatMap(runtimes.all, (all) => Effect.forEach(all, reap, { discard: true }))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(round, "1 minute")))
  })
)
