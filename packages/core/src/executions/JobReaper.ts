/**
 * Compares what the runtimes of this instance hold with what executions wait for: frees jobs that ended, and stops those whose
 * execution has ended or gone on without them, as after an instance was taken for dead and came back.
 */
import { Effect, Layer, Option } from "effect"
import { attemptOf } from "../runtime/JobId.ts"
import type { RuntimeError } from "../runtime/RuntimeError.ts"
import type { JobSummary, ScriptRuntime } from "../runtime/ScriptRuntime.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { isTerminal } from "./ExecutionStatus.ts"
import { ExecutionStore } from "./ExecutionStore.ts"

/** Looks once a minute. A job whose attempt is the current one of an active execution, or that is not ours, stays. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const runtimes = yield* ScriptRuntimes
    const executions = yield* ExecutionStore

    const isOver = Effect.fnUntraced(function* ({ handle }: JobSummary) {
      const job = attemptOf(handle.jobId)
      if (job === undefined) return false
      const found = yield* executions.find(job.executionId)
      if (Option.isNone(found) || isTerminal(found.value.status)) return true
      // The attempt is counted with the outcome of the start, so a job that has just been started may be one ahead.
      return job.attempt < found.value.attempt
    })
    const reapJob = (runtime: ScriptRuntime, job: JobSummary): Effect.Effect<void, RuntimeError | StorageError> =>
      Effect.flatMap(isOver(job), (over) => {
        if (!over) return Effect.void
        return job.state === "running" ? runtime.stop(job.handle) : runtime.remove(job.handle)
      })
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
