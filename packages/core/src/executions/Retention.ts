/**
 * Removes executions some days after their end, with output, sagas and keys. Their events stay: the event log is append-only. Every
 * instance does it; they do not get in each other's way.
 */
import { DateTime, Effect, Layer } from "effect"
import { ExecutionStore } from "./ExecutionStore.ts"

/** Removed in one transaction, so that none of them is long. */
const batchSize = 100
/** Batches of one sweep at most; the next one, an hour later, goes on. */
const maxBatches = 1_000

/** `days` after their end; 0: never. Sweeps at the start and once an hour. */
export const layer = (days: number) => (days === 0 ? Layer.empty : sweeping(days))

const sweeping = (days: number) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const executions = yield* ExecutionStore
      const sweep = Effect.gen(function* () {
        const before = DateTime.subtract(yield* DateTime.now, { days })
        let removed = 0
        for (let batch = 0; batch < maxBatches; batch++) {
          const count = yield* executions.removeEndedBefore(before, batchSize)
          removed += count
          if (count < batchSize) break
        }
        if (removed > 0) yield* Effect.logInfo("Removed executions that ended long ago.", { removed, days })
      }).pipe(
        Effect.catchTag("StorageError", (error) =>
          Effect.logWarning("Could not remove old executions; trying again.", error)
        )
      )
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(sweep, Effect.sleep("1 hour"))))
    })
  )
