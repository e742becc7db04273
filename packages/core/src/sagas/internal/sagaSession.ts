/** What one executor knows of its saga: the committed state, and outcomes that wait for the next append. */
import { Clock, DateTime, Effect, Result, Semaphore } from "effect"
import type { DomainEvent } from "../../events/DomainEvent.ts"
import type { EventFactory } from "../../events/EventFactory.ts"
import type { NewEvent } from "../../events/StoredEvent.ts"
import { changed } from "../../storage/changed.ts"
import type { Storage } from "../../storage/Storage.ts"
import { StorageError } from "../../storage/StorageError.ts"
import type { Journal, JournalWrite } from "../Journal.ts"
import type { CancelRequest, Saga } from "../Saga.ts"
import { type SagaDefinition, SagaFenced, type StepOutcome } from "../SagaDefinition.ts"
import type { SagaEntry } from "../SagaEntry.ts"
import { evolve, type SagaProgress } from "../SagaProgress.ts"
import type { SagaStore } from "../SagaStore.ts"
import { project } from "./project.ts"
import { sagaEventsOf } from "./sagaEventsOf.ts"

export interface SagaSession {
  readonly saga: Effect.Effect<Saga>
  readonly progress: Effect.Effect<SagaProgress>
  readonly subject: Effect.Effect<unknown>
  /** Lets what follows say who asked for the cancellation. */
  noteCancel(request: CancelRequest): void
  /** Adds an entry, with what comes with it, to the next append. An entry that cannot follow is a defect. */
  record(entry: SagaEntry, outcome?: StepOutcome): Effect.Effect<void>
  /** Commits everything recorded so far; one commit at a time. */
  readonly flush: Effect.Effect<void, SagaFenced | StorageError>
  /** What `flush` would commit now; `undefined` when there is nothing. */
  readonly pending: Effect.Effect<JournalWrite | undefined>
  /** Fails if another executor has taken the saga over; asks the store unless this executor wrote within the last second. */
  readonly assertFence: Effect.Effect<void, SagaFenced | StorageError>
}

/** A write that is this young proves that the saga was held a moment ago; a process that was paused finds it older. */
const freshMillis = 1_000

export interface Services {
  readonly store: SagaStore["Service"]
  readonly journal: Journal["Service"]
  readonly storage: Storage["Service"]
  readonly events: EventFactory["Service"]
}

export interface SessionStart {
  readonly saga: Saga
  readonly progress: SagaProgress
  readonly subject: unknown
  /** See `SagaDefinition`. */
  readonly save?: SagaDefinition["save"]
  /** When this instance wrote for the saga last. */
  readonly writtenMillis?: number
}

export const make = (services: Services, { save, ...start }: SessionStart): SagaSession => {
  let { progress, saga, subject, writtenMillis = 0 } = start
  let subjectChanged = false
  let entries: ReadonlyArray<SagaEntry> = []
  let events: ReadonlyArray<NewEvent> = []
  let also: ReadonlyArray<Effect.Effect<void, StorageError>> = []
  /** A write is on its way; when its caller is interrupted, whether it was done is in the log, and only there. */
  let unsure = false
  const oneAtATime = Semaphore.makeUnsafe(1)
  const cause = { aggregateId: saga.subject.id, correlationId: saga.correlationId, userId: saga.ownerId }

  const record = Effect.fnUntraced(function* (entry: SagaEntry, outcome: StepOutcome = {}) {
    const next = evolve(progress, entry)
    if (Result.isFailure(next)) return yield* Effect.die(next.failure)
    progress = next.success
    if (outcome.subject !== undefined) {
      subject = outcome.subject
      subjectChanged = true
      if (save !== undefined) also = [...also, save(subject)]
    }
    if (outcome.also !== undefined) also = [...also, outcome.also]
    const at = yield* DateTime.now
    const facts: ReadonlyArray<DomainEvent> = [...(outcome.events ?? []), ...sagaEventsOf(entry, saga, progress, at)]
    entries = [...entries, entry]
    events = [...events, ...(yield* services.events.makeAll(cause, facts))]
  })

  const writeAt = (at: DateTime.Utc): JournalWrite => ({
    saga: project(saga, progress, at),
    at,
    entries,
    events,
    ...(subjectChanged && save === undefined ? { subject } : {})
  })

  const flush = oneAtATime.withPermit(
    Effect.gen(function* () {
      if (entries.length === 0) return
      if (unsure) return yield* unanswered
      const write = writeAt(yield* DateTime.now)
      const [written, appended] = [entries.length, events.length]
      subjectChanged = false
      unsure = true
      yield* commit(services, write, also)
      unsure = false
      also = []
      entries = entries.slice(written)
      events = events.slice(appended)
      writtenMillis = yield* Clock.currentTimeMillis
    })
  )

  return {
    saga: Effect.sync(() => saga),
    progress: Effect.sync(() => progress),
    subject: Effect.sync(() => subject),
    noteCancel: (cancelRequest) => {
      saga = changed(saga, { cancelRequest })
    },
    record,
    flush,
    pending: Effect.map(DateTime.now, (at) => (entries.length === 0 ? undefined : writeAt(at))),
    assertFence: Effect.suspend(() => assertFence(services.store, saga, writtenMillis))
  }
}

const assertFence = Effect.fnUntraced(function* (
  store: SagaStore["Service"],
  { fence, sagaId }: Saga,
  writtenMillis: number
) {
  if ((yield* Clock.currentTimeMillis) - writtenMillis < freshMillis) return
  const [pulse] = yield* store.pulse([sagaId])
  if (pulse?.fence !== fence) return yield* new SagaFenced()
})

/** Nothing may be written on a guess: the next executor reads the log. */
const unanswered = Effect.suspend(
  () =>
    new StorageError({
      operation: "SagaSession.flush",
      retryable: true,
      cause: "the answer to an earlier write was not waited for"
    })
)

/** The append, and whatever else belongs into the same transaction. */
const commit = (
  { journal, storage }: Services,
  write: JournalWrite,
  also: ReadonlyArray<Effect.Effect<void, StorageError>>
) => {
  const append = Effect.flatMap(journal.append(write), (held) => (held ? Effect.void : new SagaFenced()))
  return also.length === 0 ? append : storage.transaction(Effect.andThen(append, Effect.all(also, { discard: true })))
}
