/** An item of no meaning that goes through a queue of its own now and then: proof that what is put in comes out. */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Clock, Effect, Ref, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import type { PersistedQueue } from "effect/persistence"

const intervalMillis = 10_000
/** A round that takes longer has failed. */
const roundMillis = 5_000
/** Two rounds may fail before the queue counts as out of order. */
const patienceMillis = 3 * intervalMillis + roundMillis

const operation = "SagaEngine.check"

/** Sends one item every 10 s; the answer passes while the last one that came through is at most 35 s old. */
export const canary = Effect.fnUntraced(function* (queues: PersistedQueue.PersistedQueueFactory["Service"]) {
  const queue = yield* queues.make({ name: `canary/${SecureRandom.uuidV4Unsafe()}`, schema: Schema.Int })
  const passed = yield* Ref.make(yield* Clock.currentTimeMillis)
  const round = Effect.gen(function* () {
    yield* queue.offer(0)
    yield* queue.take(() => Effect.void)
    yield* Ref.set(passed, yield* Clock.currentTimeMillis)
  }).pipe(
    Effect.timeoutOption(roundMillis),
    // Whatever the reason, it is the silence that is reported.
    Effect.catch((error) => Effect.logDebug("The canary of the queue did not come through", error))
  )
  yield* Effect.forkScoped(Effect.forever(Effect.delay(round, intervalMillis)))
  return Effect.gen(function* () {
    const sinceHeartbeatMillis = (yield* Clock.currentTimeMillis) - (yield* Ref.get(passed))
    if (sinceHeartbeatMillis <= patienceMillis) return
    const cause = `nothing has come out of the queue for ${Math.round(sinceHeartbeatMillis / 1000)} s`
    return yield* new StorageError({ operation, retryable: true, cause })
  })
})
