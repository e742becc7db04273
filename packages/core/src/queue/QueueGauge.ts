/** How full the line is, to the second: exact enough for bounds and estimates, cheap enough for every request. */
import { Context, Effect, Layer } from "effect"
import type { StorageError } from "../storage/StorageError.ts"
import type { QueueLoad } from "./QueueLoad.ts"
import { QueueStore } from "./QueueStore.ts"

export class QueueGauge extends Context.Service<
  QueueGauge,
  {
    readonly load: Effect.Effect<QueueLoad, StorageError>
  }
>()("@fairlead/core/queue/QueueGauge") {
  static readonly layer = Layer.effect(
    QueueGauge,
    Effect.gen(function* () {
      const store = yield* QueueStore
      return QueueGauge.of({ load: yield* Effect.cachedWithTTL(store.load, "1 second") })
    })
  )
}
