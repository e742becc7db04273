/** Asks a saga to turn back. A saga that no executor has met yet is dispatched to all instances, so it need not wait for its turn. */
import { Context, Effect, Layer, Option } from "effect"
import type { SagaId } from "../ids/SagaId.ts"
import type { Subject } from "../ids/Subject.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { CancelRequest, Saga } from "./Saga.ts"
import { SagaLauncher } from "./SagaLauncher.ts"
import { SagaStore } from "./SagaStore.ts"

export class SagaCanceller extends Context.Service<
  SagaCanceller,
  {
    /** Returns when the request is recorded; none if the saga is unknown or has ended. The first request counts. */
    request(id: SagaId, request: CancelRequest): Effect.Effect<Option.Option<Saga>, StorageError>
    /** Only records the request, as part of the caller's transaction; the sagas act on it within 2 s of its end. */
    record(subject: Subject, request: CancelRequest): Effect.Effect<void, StorageError>
    /** Like `request` for every saga of a subject; `true` if one was there to be asked. */
    requestFor(subject: Subject, request: CancelRequest): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/sagas/SagaCanceller") {
  static readonly layer = Layer.effect(
    SagaCanceller,
    Effect.gen(function* () {
      const [store, launcher, storage] = [yield* SagaStore, yield* SagaLauncher, yield* Storage]

      /** Whoever executes a saga holds an item of the engine, so that another one follows if it fails: nothing is executed from here. */
      const note = Effect.fnUntraced(function* (id: SagaId, asked: CancelRequest) {
        const requested = yield* store.requestCancel(id, asked)
        if (Option.isNone(requested) || !isUnmet(requested.value)) return requested
        yield* launcher.resume(id, undefined)
        return yield* store.find(id)
      })
      const sagasOf = (subject: Subject) =>
        Effect.map(store.list({ subject, limit: maxAttempts, offset: 0 }), ({ sagas }) => sagas)

      const request = Effect.fn("SagaCanceller.request")((id: SagaId, asked: CancelRequest) =>
        storage.transaction(note(id, asked))
      )

      return SagaCanceller.of({
        request,
        record: Effect.fnUntraced(function* (subject, asked) {
          yield* Effect.forEach(yield* sagasOf(subject), ({ sagaId }) => note(sagaId, asked), { discard: true })
        }),
        requestFor: Effect.fnUntraced(function* (subject, asked) {
          const requested = yield* Effect.forEach(yield* sagasOf(subject), ({ sagaId }) => request(sagaId, asked))
          return requested.some(Option.isSome)
        })
      })
    })
  )
}

/** Nobody executes it: it is suspended, or no executor has taken its item yet. */
const isUnmet = ({ suspended, state }: Saga) => suspended === true || state === "created"

/** Sagas of one subject: of an execution one for each attempt. */
const maxAttempts = 20
