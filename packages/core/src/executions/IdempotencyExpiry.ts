/** Forgets idempotency keys that are older than their 24 hours, every ten minutes. */
import { DateTime, Effect, Layer } from "effect"
import { IdempotencyStore } from "./IdempotencyStore.ts"

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const keys = yield* IdempotencyStore
    const expire = Effect.flatMap(DateTime.now, (now) => keys.expire(now)).pipe(
      Effect.catchTag("StorageError", (error) => Effect.logWarning("Could not expire idempotency keys.", error))
    )
    yield* Effect.forkScoped(Effect.forever(Effect.delay(expire, "10 minutes")))
  })
)
