/** Port: the append-only log of domain events. It is also the outbox: what must leave the process is read from here. */
import { Context, Effect, Layer, Option, Predicate, Schema } from "effect"
import type { EventId } from "../ids/EventId.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups } from "../wakeups/Wakeups.ts"
import type { DomainEventTag } from "./DomainEvent.ts"
import type { NewEvent, StoredEvent } from "./StoredEvent.ts"

/** A place in the whole log. Opaque: compare for equality only, store it, hand it back. */
export const EventCursor = Schema.NonEmptyString.pipe(Schema.brand("EventCursor"))
export type EventCursor = typeof EventCursor.Type

/** The stream did not stand at the version the writer had read: somebody else appended. Nothing was written. */
export class StreamVersionConflict extends Schema.TaggedError<StreamVersionConflict>()("StreamVersionConflict", {
  stream: Schema.String,
  expected: Schema.Int,
  actual: Schema.Int
}) {}

export interface EventFilter {
  /** Events after this version of the stream; 0 for all. */
  readonly afterVersion: number
  /** 1 to 1,000. */
  readonly limit: number
  /** Only these; everything when absent. */
  readonly tags?: ReadonlyArray<DomainEventTag> | undefined
}

export class EventLog extends Context.Service<
  EventLog,
  {
    /**
     * Adds `events` to the end of `stream` in the order given and returns its new version. Joins the caller's transaction and
     * sends the wake-up `stream/…` for it. An event id that is stored already is an error of the caller and a defect here.
     */
    append(stream: string, events: ReadonlyArray<NewEvent>): Effect.Effect<number, StorageError>
    /** Like `append`, only if the stream stands at `expected` (0 when nobody wrote to it). Atomic. */
    appendAt(
      stream: string,
      expected: number,
      events: ReadonlyArray<NewEvent>
    ): Effect.Effect<number, StreamVersionConflict | StorageError>
    /** Oldest first, at most `limit`; empty for a stream nobody wrote to. */
    readStream(stream: string, filter: EventFilter): Effect.Effect<ReadonlyArray<StoredEvent>, StorageError>
    /**
     * The whole log from behind `after`, at most `limit` (1 to 1,000), in commit order: an event that commits late is never
     * skipped by a reader who was already past its moment. Within one stream the order is that of its versions. `next` is where
     * to go on; it equals `after` when there was nothing to read.
     */
    readAll(
      after: EventCursor | undefined,
      limit: number
    ): Effect.Effect<
      { readonly events: ReadonlyArray<StoredEvent>; readonly next: EventCursor | undefined },
      StorageError
    >
    find(id: EventId): Effect.Effect<Option.Option<StoredEvent>, StorageError>
  }
>()("@fairlead/core/events/EventLog") {
  static readonly layerMemory = Layer.effect(
    EventLog,
    Effect.gen(function* () {
      const { table, transaction } = yield* MemoryDatabase
      const wakeups = yield* Wakeups
      const events = table<ReadonlyArray<StoredEvent>>([])

      const write = (stream: string, added: ReadonlyArray<NewEvent>) =>
        events
          .modify((rows): readonly [number | undefined, ReadonlyArray<StoredEvent>] => {
            if (added.some(({ eventId }) => rows.some((row) => row.eventId === eventId))) return [undefined, rows]
            const version = versionOf(rows, stream)
            const stored = added.map((event, i) => ({ ...event, stream, streamVersion: version + i + 1 }))
            return [version + added.length, [...rows, ...stored]]
          })
          .pipe(
            Effect.filterOrElse(Predicate.isNotUndefined, () => Effect.die(`an event for ${stream} is stored already`)),
            Effect.tap(() => (added.length === 0 ? Effect.void : wakeups.send(`stream/${stream}`)))
          )

      return EventLog.of({
        append: write,
        appendAt: (stream, expected, added) =>
          transaction(
            Effect.gen(function* () {
              const actual = versionOf(yield* events.get, stream)
              if (actual !== expected) return yield* new StreamVersionConflict({ stream, expected, actual })
              return yield* write(stream, added)
            })
          ),
        readStream: (stream, { afterVersion, limit, tags }) =>
          Effect.map(events.get, (rows) =>
            rows
              .filter((row) => row.stream === stream && row.streamVersion > afterVersion)
              .filter((row) => tags === undefined || tags.includes(row.event._tag))
              .slice(0, limit)
          ),
        readAll: (after, limit) =>
          Effect.map(events.get, (rows) => {
            const from = after === undefined ? 0 : Number(after)
            const page = rows.slice(from, from + limit)
            return { events: page, next: page.length === 0 ? after : EventCursor.make(`${from + page.length}`) }
          }),
        find: (id) => Effect.map(events.get, (rows) => Option.fromUndefinedOr(rows.find((row) => row.eventId === id)))
      })
    })
  )
}

const versionOf = (rows: ReadonlyArray<StoredEvent>, stream: string) =>
  rows.findLast((row) => row.stream === stream)?.streamVersion ?? 0
