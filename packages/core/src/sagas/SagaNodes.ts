/** Which nodes have sagas, and taking sagas away from executors that will not come back. */
import { Context, Effect, Layer, Option, Result } from "effect"
import type { StorageError } from "../storage/StorageError.ts"
import type { Saga } from "./Saga.ts"
import { fold, type SagaProgress } from "./SagaProgress.ts"
import { SagaStore } from "./SagaStore.ts"

/** A saga that was taken away, and what its log says. */
export interface TakenSaga {
  readonly saga: Saga
  readonly progress: SagaProgress
}

export class SagaNodes extends Context.Service<
  SagaNodes,
  {
    /** Nodes with sagas that somebody is to execute, each once. */
    readonly occupied: Effect.Effect<ReadonlyArray<string>, StorageError>
    /** Sagas that somebody is to execute there, oldest first, at most `limit` (1 to 1,000). */
    sagasOn(nodeId: string, limit: number): Effect.Effect<ReadonlyArray<Saga>, StorageError>
    /**
     * Parks the saga under a raised fence, and gives it with how far it came: from now on an executor that was only frozen writes nothing and
     * begins nothing. None if it has ended, or if its log cannot be read. Joins the caller's transaction, which dispatches it anew.
     */
    takeAway(saga: Saga): Effect.Effect<Option.Option<TakenSaga>, StorageError>
  }
>()("@fairlead/core/sagas/SagaNodes") {
  static readonly layer = Layer.effect(
    SagaNodes,
    Effect.map(SagaStore, (store) =>
      SagaNodes.of({
        occupied: Effect.map(store.nodes, (nodes) => nodes.filter((nodeId) => nodeId !== undefined)),
        sagasOn: (nodeId, limit) => store.onNode(nodeId, limit),
        takeAway: Effect.fnUntraced(function* ({ sagaId }) {
          const suspended = yield* store.redispatch(sagaId, { suspended: true, fenceOff: true })
          if (Option.isNone(suspended)) return Option.none()
          const progress = fold((yield* store.log(sagaId)).map(({ entry }) => entry))
          return Option.map(Result.getSuccess(progress), (reached) => ({ saga: suspended.value, progress: reached }))
        })
      })
    )
  )
}
