/** Begins sagas: writes the row and queues the first dispatch, inside the transaction of whatever the saga is to carry out. */
import { Context, DateTime, Effect, Layer } from "effect"
import type { UserId } from "../auth/users/UserId.ts"
import type { ExecutionId } from "../executions/ExecutionId.ts"
import { Ids } from "../ids/Ids.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Saga } from "./Saga.ts"
import { SagaEngine } from "./SagaEngine.ts"
import { SagaId } from "./SagaId.ts"
import { SagaStore } from "./SagaStore.ts"

export interface SagaOrder {
  readonly definition: { readonly name: string; readonly version: number }
  readonly executionId: ExecutionId
  readonly ownerId: UserId
  readonly correlationId: string
}

export class SagaLauncher extends Context.Service<
  SagaLauncher,
  {
    /** Joins the caller's transaction: a driver meets the saga once that commits, and never if it rolls back. */
    launch(order: SagaOrder): Effect.Effect<Saga, StorageError>
  }
>()("@fairlead/core/sagas/SagaLauncher") {
  static readonly layer = Layer.effect(
    SagaLauncher,
    Effect.gen(function* () {
      const [store, engine, ids] = [yield* SagaStore, yield* SagaEngine, yield* Ids]
      return SagaLauncher.of({
        launch: Effect.fnUntraced(function* ({ definition, ...owner }) {
          const createdAt = yield* DateTime.now
          const saga = new Saga({
            ...owner,
            sagaId: SagaId.make(yield* ids.uuid),
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
            updatedAt: createdAt
          })
          yield* store.insert(saga)
          yield* engine.dispatch({ sagaId: saga.sagaId, dispatch: saga.dispatch })
          return saga
        })
      })
    })
  )
}
