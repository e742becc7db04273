/**
 * Tells an executor what happens to the saga that it holds: a request to cancel, or the loss of the saga to another executor.
 * Wake-ups make it quick; a look at every held saga each second makes it sure.
 */
import { Clock, Context, Deferred, Effect, Layer, type Scope, Stream } from "effect"
import type { SagaId } from "../ids/SagaId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups, type WakeupTopic } from "../wakeups/Wakeups.ts"
import type { CancelRequest, Saga } from "./Saga.ts"
import { SagaFenced } from "./SagaDefinition.ts"
import { type SagaPulse, SagaStore } from "./SagaStore.ts"

export interface HeldSaga {
  /** The request to cancel, if one is known by now. */
  readonly cancelRequest: Effect.Effect<CancelRequest | undefined>
  /** Waits for a request to cancel. */
  readonly cancelled: Effect.Effect<CancelRequest>
  /** Fails once the saga is another executor's, or when nobody can tell any more, because the store does not answer. */
  readonly lost: Effect.Effect<never, SagaFenced | StorageError>
}

/** Without an answer from the store for this long an executor must let go: its lock on the saga may have lapsed. */
const blindMillis = 6000
/** Sagas asked about in one call. */
const pageSize = 1000

interface Held {
  readonly sagaId: SagaId
  readonly fence: number
  readonly cancel: Deferred.Deferred<CancelRequest>
  readonly lost: Deferred.Deferred<never, SagaFenced | StorageError>
}

export class SagaWatch extends Context.Service<
  SagaWatch,
  {
    /** Watches the saga at its present fence until the scope closes. An older hold of the same saga on this instance is lost. */
    hold(saga: Saga): Effect.Effect<HeldSaga, never, Scope.Scope>
  }
>()("@fairlead/core/sagas/SagaWatch") {
  static readonly layer = Layer.effect(
    SagaWatch,
    Effect.gen(function* () {
      const store = yield* SagaStore
      const wakeups = yield* Wakeups
      const held = new Map<WakeupTopic, Held>()
      let answeredMillis = 0

      const tell = ({ cancelRequest, fence, sagaId }: SagaPulse) =>
        Effect.suspend(() => {
          const saga = held.get(topicOf(sagaId))
          if (saga === undefined) return Effect.void
          // A lower fence is an answer from before this hold.
          if (saga.fence < fence) return Deferred.fail(saga.lost, new SagaFenced())
          return cancelRequest === undefined ? Effect.void : Deferred.succeed(saga.cancel, cancelRequest)
        })

      const letGo = Effect.fnUntraced(function* (error: StorageError) {
        if ((yield* Clock.currentTimeMillis) - answeredMillis < blindMillis) return
        yield* Effect.logWarning("Database unavailable; releasing all sagas.", { held: held.size })
        yield* Effect.forEach([...held.values()], ({ lost }) => Deferred.fail(lost, error), { discard: true })
      })

      const look = Effect.fnUntraced(
        function* (ids: ReadonlyArray<SagaId>) {
          yield* Effect.forEach(yield* store.pulse(ids), tell, { discard: true })
          answeredMillis = yield* Clock.currentTimeMillis
        },
        Effect.catchTag("StorageError", letGo)
      )

      const sweep = Effect.suspend(() => {
        const ids = [...held.values()].map(({ sagaId }) => sagaId)
        const pages = Array.from({ length: Math.ceil(ids.length / pageSize) }, (_, page) =>
          ids.slice(page * pageSize, (page + 1) * pageSize)
        )
        return Effect.forEach(pages, look, { discard: true })
      })

      yield* Effect.forkScoped(Effect.forever(Effect.delay(sweep, "1 second")))
      yield* wakeups.all.pipe(
        Stream.runForEach((topic) => {
          const saga = held.get(topic)
          return saga === undefined ? Effect.void : look([saga.sagaId])
        }),
        Effect.forkScoped
      )

      return SagaWatch.of({
        hold: Effect.fnUntraced(function* ({ cancelRequest, fence, sagaId }) {
          const cancel = yield* Deferred.make<CancelRequest>()
          const lost = yield* Deferred.make<never, SagaFenced | StorageError>()
          const entry: Held = { sagaId, fence, cancel, lost }
          const topic = topicOf(sagaId)
          if (held.size === 0) answeredMillis = yield* Clock.currentTimeMillis
          const older = held.get(topic)
          if (older !== undefined) yield* Deferred.fail(older.lost, new SagaFenced())
          yield* Effect.acquireRelease(
            Effect.sync(() => held.set(topic, entry)),
            () => Effect.sync(() => held.get(topic) === entry && held.delete(topic))
          )
          if (cancelRequest !== undefined) yield* Deferred.succeed(cancel, cancelRequest)
          return {
            cancelRequest: Effect.suspend(() =>
              Deferred.isDoneUnsafe(cancel) ? Deferred.await(cancel) : Effect.undefined
            ),
            cancelled: Deferred.await(cancel),
            lost: Deferred.await(lost)
          }
        })
      })
    })
  )
}

const topicOf = (id: SagaId): WakeupTopic => `saga/${id}`
