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

      const request = Effect.fn("SagaCanceller.request")(function* (id: SagaId, asked: CancelRequest) {
        const saga = yield* storage.transaction(note(id, asked))
        if (Option.isSome(saga) && saga.value.state === "created") {
          const { dispatch, sagaId } = saga.value
          // If this fails the queue item is still there, and its driver sees the request.
          yield* Effect.forkIn(Effect.ignore(driver.drive({ sagaId, dispatch })), scope)
        }
        return saga
      })

      /** Asks every saga of the execution, also one that takes over with another attempt meanwhile; whether one was there. */
      const askAll = Effect.fnUntraced(function* (
        executionId: ExecutionId,
        ask: (id: SagaId) => Effect.Effect<Option.Option<Saga>, StorageError>
      ) {
        const asked = new Set<SagaId>()
        let found = false
        while (true) {
          const { sagas } = yield* store.list({ executionId, limit: attemptsAtMost, offset: 0 })
          const fresh = sagas.filter(({ sagaId }) => !asked.has(sagaId))
          if (fresh.length === 0) return found
          for (const { sagaId } of fresh) {
            asked.add(sagaId)
            if (Option.isSome(yield* ask(sagaId))) found = true
          }
        }
      })

      return SagaCanceller.of({
        request,
        record: (executionId, asked) => Effect.asVoid(askAll(executionId, (id) => note(id, asked))),
        requestFor: (executionId, asked) => askAll(executionId, (id) => request(id, asked))
      })
    })
  )
}

/** Sagas of one execution: one for each attempt. */
const attemptsAtMost = 20
