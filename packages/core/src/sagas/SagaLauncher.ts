/** Begins sagas: writes the row and queues the first dispatch, inside the transaction of whatever the saga is to carry out. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { UserId } from "../auth/users/UserId.ts"
import type { ExecutionId } from "../executions/ExecutionId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Saga } from "./Saga.ts"
import { SagaEngine, type SagaLane } from "./SagaEngine.ts"
import type { SagaId } from "./SagaId.ts"
import { SagaStore } from "./SagaStore.ts"

export interface SagaOrder {
  readonly sagaId: SagaId
  readonly definition: { readonly name: string; readonly version: number }
  readonly executionId: ExecutionId
  readonly ownerId: UserId
  readonly correlationId: string
  readonly lane: SagaLane
  /** It is written down only; `resume` sets it going. */
  readonly parked: boolean
}

export class SagaLauncher extends Context.Service<
  SagaLauncher,
  {
    /** The saga of an order, stored nowhere yet. */
    make(order: SagaOrder): Effect.Effect<Saga>
    /**
     * Sets a new saga going that `Journal.open` stores; nothing to do for a parked one. Joins the caller's transaction: a driver
     * meets the saga once that commits, and never if it rolls back.
     */
    start(saga: Saga): Effect.Effect<void, StorageError>
    /** `make`, stores it, and `start`. */
    launch(order: SagaOrder): Effect.Effect<Saga, StorageError>
    /**
     * Dispatches a saga anew, in a lane, also one that was parked; items of before are stale, and a living driver loses it to the
     * next. Joins the caller's transaction. Changes nothing if the saga has ended.
     */
    resume(sagaId: SagaId, lane: SagaLane): Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/sagas/SagaLauncher") {
  static readonly layer = Layer.effect(
    SagaLauncher,
    Effect.gen(function* () {
      const [store, engine] = [yield* SagaStore, yield* SagaEngine]
      const make = Effect.fnUntraced(function* ({ definition, lane, parked, ...owner }: SagaOrder) {
        const createdAt = yield* DateTime.now
        return new Saga({
          ...owner,
          sagaName: definition.name,
          definitionVersion: definition.version,
          state: "created",
          completedSteps: [],
          compensatedSteps: [],
          retryCount: 0,
          logLength: 0,
          dispatch: 1,
          fence: 0,
          createdAt,
          updatedAt: createdAt,
          ...(lane === undefined ? {} : { lane }),
          ...(parked ? { parked } : {})
        })
      })
      const start = ({ dispatch, lane, parked, sagaId }: Saga) =>
        parked === true ? Effect.void : engine.dispatch({ sagaId, dispatch }, lane)

      return SagaLauncher.of({
        make,
        start,
        launch: (order) => Effect.tap(make(order), (saga) => Effect.andThen(store.insert(saga), start(saga))),
        resume: Effect.fnUntraced(function* (sagaId, lane) {
          const resumed = yield* store.redispatch(sagaId, { lane })
          if (Option.isSome(resumed)) yield* engine.dispatch({ sagaId, dispatch: resumed.value.dispatch }, lane)
        })
      })
    })
  )
}
