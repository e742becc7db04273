/**
 * Carries one saga from where its log ends to its own end: asks `SagaDecision` what is next, does it, and appends the
 * outcome under the fence. An executor that finds another's fence stops, writes nothing and fails: the other one may have come late,
 * without an item, and whoever holds the item is to look again.
 */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { EventFactory } from "../events/EventFactory.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { nextOf, perform, recordIntent, run, start } from "./internal/sagaMoves.ts"
import * as SagaSession from "./internal/sagaSession.ts"
import { Journal, type JournalWrite } from "./Journal.ts"
import type { Saga } from "./Saga.ts"
import { definitionOf, type SagaDefinition, type SagaFenced } from "./SagaDefinition.ts"
import { SagaEngine } from "./SagaEngine.ts"
import type { ClaimedSaga, SagaDispatch } from "./SagaItem.ts"
import { fold, initial } from "./SagaProgress.ts"
import { SagaStore } from "./SagaStore.ts"
import { type HeldSaga, SagaWatch } from "./SagaWatch.ts"

/** The definitions that this instance can execute. Old versions stay until no saga of theirs is in flight. */
export class SagaDefinitions extends Context.Service<SagaDefinitions, ReadonlyArray<SagaDefinition>>()(
  "@fairlead/core/sagas/SagaDefinitions"
) {}

/** Pause before a saga that this instance does not know is offered to all instances again. */
const unknownMillis = 10_000

export class SagaExecutor extends Context.Service<
  SagaExecutor,
  {
    /**
     * Drives the saga until it ends. Does nothing for a stale item. Interrupting stops at once and loses nothing that was committed.
     * A saga whose definition this instance does not know comes round again in 10 s. Fails when the store does, and when another
     * executor takes the saga; the item is then to be delivered again, and counts no more if that executor was sent a newer one.
     */
    execute(item: SagaDispatch): Effect.Effect<void, SagaFenced | StorageError>
    /**
     * What a new saga, claimed by this instance and stored nowhere yet, would write first: the outcomes of its steps up to the first one
     * that acts on the outside world, and the intent of that one. None if it would turn back, wait or end before, or if this instance does not know
     * its definition.
     */
    firstWrite(saga: Saga, subject: unknown): Effect.Effect<Option.Option<JournalWrite>, StorageError>
  }
>()("@fairlead/core/sagas/SagaExecutor") {
  /** `executor` names this instance in the saga's row. */
  static readonly layer = (executor: string) =>
    Layer.effect(
      SagaExecutor,
      Effect.gen(function* () {
        const store = yield* SagaStore
        const watch = yield* SagaWatch
        const [definitions, engine] = [yield* SagaDefinitions, yield* SagaEngine]
        const services = { store, journal: yield* Journal, storage: yield* Storage, events: yield* EventFactory }

        const read = Effect.fnUntraced(function* (definition: SagaDefinition, saga: Saga) {
          const subject = yield* definition.load(saga)
          if (Option.isNone(subject)) return yield* Effect.die(`saga ${saga.sagaId} has no ${saga.subject.kind}`)
          const logged = saga.logLength === 0 ? [] : yield* store.log(saga.sagaId)
          return { saga, subject: subject.value, entries: logged.map(({ entry }) => entry) }
        })

        const open = Effect.fnUntraced(function* (
          { save }: SagaDefinition,
          { entries, ...known }: ClaimedSaga,
          writtenMillis?: number
        ) {
          const progress = yield* Effect.orDie(Effect.fromResult(fold(entries)))
          return SagaSession.make(services, {
            ...known,
            progress,
            ...(save === undefined ? {} : { save }),
            ...(writtenMillis === undefined ? {} : { writtenMillis })
          })
        })

        /** Leaves the saga to an instance that knows its definition, as in the middle of an upgrade; until one takes it, it comes round. */
        const passOn = Effect.fnUntraced(function* ({ definitionVersion, nodeId, sagaId, sagaName }: Saga) {
          yield* Effect.logWarning("Unknown saga definition; offering the saga to other instances.", {
            sagaId,
            definition: `${sagaName} v${definitionVersion}`
          })
          const again = Effect.flatMap(store.redispatch(sagaId, { nodeId }), (passed) =>
            Option.isNone(passed)
              ? Effect.void
              : engine.dispatch({ sagaId, dispatch: passed.value.dispatch }, nodeId, unknownMillis)
          )
          yield* services.storage.transaction(again)
        })

        const execute = Effect.fn("SagaExecutor.execute")(function* ({ begun, dispatch, sagaId }: SagaDispatch) {
          const claimed = begun === undefined ? yield* store.claim(sagaId, dispatch, executor) : Option.some(begun.saga)
          if (Option.isNone(claimed)) return
          const saga = claimed.value
          const definition = definitionOf(definitions, saga)
          if (definition === undefined) return yield* passOn(saga)
          const held = yield* watch.hold(saga)
          const session = yield* begun === undefined
            ? Effect.flatMap(read(definition, saga), (known) => open(definition, known))
            : open(definition, begun, DateTime.toEpochMillis(saga.updatedAt))
          yield* Effect.raceFirst(advance(definition, session, held), held.lost)
        }, Effect.scoped)

        return SagaExecutor.of({ execute, firstWrite: makeFirstWrite(definitions, services) })
      })
    )
}

const makeFirstWrite = (definitions: ReadonlyArray<SagaDefinition>, services: SagaSession.Services) =>
  Effect.fnUntraced(function* (saga: Saga, subject: unknown) {
    const definition = definitionOf(definitions, saga)
    if (definition === undefined) return Option.none()
    const session = SagaSession.make(services, { saga, subject, progress: initial })
    while (true) {
      const decision = yield* nextOf(definition, session)
      if (decision._tag === "Start") yield* start(definition, session)
      else if (decision._tag !== "Run") return Option.none()
      else if (yield* recordIntent(definition, session, decision)) return Option.fromUndefinedOr(yield* session.pending)
      // It has written nothing, so nobody can have taken the saga from it.
      else yield* Effect.catchTag(run(definition, session, unwatched, decision), "SagaFenced", Effect.die)
    }
  }, Effect.scoped)

/** Of a saga that nobody else knows yet. */
const unwatched: HeldSaga = { cancelRequest: Effect.undefined, cancelled: Effect.never, lost: Effect.never }

type Session = SagaSession.SagaSession

const advance = Effect.fnUntraced(function* (definition: SagaDefinition, session: Session, held: HeldSaga) {
  while (true) {
    const cancelRequest = yield* held.cancelRequest
    if (cancelRequest !== undefined) session.noteCancel(cancelRequest)
    const decision = yield* nextOf(definition, session)
    if (decision._tag === "Done") return
    yield* perform(definition, session, held, decision)
  }
})
