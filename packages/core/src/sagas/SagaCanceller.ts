/** Asks a saga to turn back. A saga that no driver has met yet is driven here and now, so it need not wait for its turn. */
import { Context, Effect, Layer, Option } from "effect"
import type { ExecutionId } from "../executions/ExecutionId.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { CancelRequest, Saga } from "./Saga.ts"
import { SagaDriver } from "./SagaDriver.ts"
import type { SagaId } from "./SagaId.ts"
import { SagaLauncher } from "./SagaLauncher.ts"
import { SagaStore } from "./SagaStore.ts"

export class SagaCanceller extends Context.Service<
  SagaCanceller,
  {
    /** Returns when the request is recorded; none if the saga is unknown or has ended. The first request counts. */
    request(id: SagaId, request: CancelRequest): Effect.Effect<Option.Option<Saga>, StorageError>
    /** Only records the request, as part of the caller's transaction; the sagas act on it within 2 s of its end. */
    record(executionId: ExecutionId, request: CancelRequest): Effect.Effect<void, StorageError>
    /** Like `request` for every saga of an execution; `true` if one was there to be asked. */
    requestFor(executionId: ExecutionId, request: CancelRequest): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/sagas/SagaCanceller") {
  static readonly layer = Layer.effect(
    SagaCanceller,
    Effect.gen(function* () {
      const store = yield* SagaStore
      const [driver, launcher, storage] = [yield* SagaDriver, yield* SagaLauncher, yield* Storage]
      const scope = yield* Effect.scope

      const note = Effect.fnUntraced(function* (id: SagaId, asked: CancelRequest) {
        const requested = yield* store.requestCancel(id, asked)
        if (Option.isNone(requested) || requested.value.parked !== true) return requested
        yield* launcher.resume(id, undefined)
        return yield* store.find(id)
      })
      const sagasOf = (executionId: ExecutionId) =>
        Effect.map(store.list({ executionId, limit: attemptsAtMost, offset: 0 }), ({ sagas }) => sagas)

      const request = Effect.fn("SagaCanceller.request")(function* (id: SagaId, asked: CancelRequest) {
        const saga = yield* storage.transaction(note(id, asked))
        if (Option.isSome(saga) && saga.value.state === "created") {
          const { dispatch, sagaId } = saga.value
          // If this fails the queue item is still there, and its driver sees the request.
          yield* Effect.forkIn(Effect.ignore(driver.drive({ sagaId, dispatch })), scope)
        }
        return saga
      })

      return SagaCanceller.of({
        request,
        record: Effect.fnUntraced(function* (executionId, asked) {
          yield* Effect.forEach(yield* sagasOf(executionId), ({ sagaId }) => note(sagaId, asked), { discard: true })
        }),
        requestFor: Effect.fnUntraced(function* (executionId, asked) {
          const requested = yield* Effect.forEach(yield* sagasOf(executionId), ({ sagaId }) => request(sagaId, asked))
          return requested.some(Option.isSome)
        })
      })
    })
  )
}

/** Sagas of one execution: one for each attempt. */
const attemptsAtMost = 20
