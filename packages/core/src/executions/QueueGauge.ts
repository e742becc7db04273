/** How many executions are active everywhere, to the second: exact enough for a bound, cheap enough for every request. */
import { Context, Effect, Layer } from "effect"
import type { StorageError } from "../storage/StorageError.ts"
import { ExecutionStore } from "./ExecutionStore.ts"

export class QueueGauge extends Context.Service<
  QueueGauge,
  {
    /** Executions of all users and hosts that have not ended. */
    readonly active: Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/executions/QueueGauge") {
  static readonly layer = Layer.effect(
    QueueGauge,
    Effect.gen(function* () {
      const store = yield* ExecutionStore
      const active = yield* Effect.cachedWithTTL(store.countActive(), "1 second")
      return QueueGauge.of({ active })
    })
  )
}
