/**
 * `EventLog` over `events`. The order of the whole log is `(txid, pos)`, and readers see only what lies below every transaction
 * still running, so a late commit never lands behind a reader. An open write transaction anywhere on the server holds readers
 * back; the connections' `idle_in_transaction_session_timeout` bounds that.
 *
 * Appends outside a transaction that come at the same time share a statement and its commit.
 *
 * Transaction numbers belong to a server. After a dump was restored on another one, run once, before any instance starts:
 * `update events set txid = '0'; update stream_heads set txid = '0'`. Cursors kept elsewhere then start from the beginning.
 */

import { EventCursor, EventLog, StreamVersionConflict } from "@fairlead/core/events/EventLog"
import { NewEvent, type StoredEvent } from "@fairlead/core/events/StoredEvent"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import { type EventBatch, encodeEvents, insertBatches, insertEvents } from "./internal/eventRows.ts"
import * as GroupCommit from "./internal/groupCommit.ts"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const Row = Schema.Struct({
  stream: Schema.String,
  stream_version: Schema.Int,
  event: jsonText(NewEvent),
  txid: Schema.String,
  pos: Schema.String
})
const decode = Schema.decodeUnknownEffect(Schema.Array(Row))

export const layer = Layer.effect(
  EventLog,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const wakeups = yield* Wakeups
    const columns = sql`stream, stream_version, event::text as event, txid::text as txid, pos::text as pos`

    /** The new version, or nothing when the stream did not stand where it had to. */
    const insert = Effect.fnUntraced(function* (
      stream: string,
      events: ReadonlyArray<NewEvent>,
      source: Statement.Fragment,
      expected: Statement.Fragment
    ) {
      const json = yield* encodeEvents(events)
      const [row] = yield* sql<{ readonly version: number }>`with ${insertEvents(sql, {
        stream,
        count: events.length,
        json,
        source,
        expected
      })} select version from heads`
      if (row !== undefined) yield* wakeups.send(`stream/${stream}`)
      return row?.version
    })

    const alone = ({ count, json, stream }: EventBatch) =>
      Effect.map(
        sql<{ readonly version: number }>`with ${insertEvents(sql, {
          stream,
          count,
          json,
          source: sql``,
          expected: sql`true`
        })} select version from heads`,
        ([row]) => row?.version ?? 0
      )

    /** Each request stands at the end of what comes before it for its stream. */
    const together = Effect.fnUntraced(function* (batches: ReadonlyArray<EventBatch>) {
      const rows = yield* sql<{ readonly stream: string; readonly version: number }>`with ${insertBatches(sql, batches)}
        select stream, version from heads`
      const versions = new Map(rows.map(({ stream, version }) => [stream, version]))
      const ends = batches.toReversed().map(({ count, stream }) => {
        const version = versions.get(stream) ?? 0
        versions.set(stream, version - count)
        return version
      })
      return ends.toReversed()
    })

    const appended = GroupCommit.makeShared<EventBatch, number, SqlError.SqlError>({
      together,
      alone,
      nameOf: (batch) => batch,
      maxSize: 500,
      maxSteps: 2
    })
    const joined = Effect.serviceOption(sql.transactionService)

    const versionOf = (stream: string) =>
      Effect.map(
        sql<{ readonly version: number }>`select version from stream_heads where stream = ${stream}`,
        ([row]) => row?.version ?? 0
      )

    const read = (rows: ReadonlyArray<unknown>) => Effect.map(decode(rows), (decoded) => decoded.map(toStored))

    return EventLog.of({
      append: Effect.fnUntraced(function* (stream, events) {
        if (events.length === 0) return yield* versionOf(stream)
        const batch = { stream, count: events.length, json: yield* encodeEvents(events) }
        const version = yield* Option.isSome(yield* joined) ? alone(batch) : appended(batch)
        yield* wakeups.send(`stream/${stream}`)
        return version
      }, storageError("EventLog.append")),

      appendAt: (stream, expected, events) =>
        Effect.gen(function* () {
          // An unknown stream stands at 0: there is no head to compare, so the insert itself must not happen for another number.
          const source = sql`where ${expected}::int = 0 or exists (select 1 from stream_heads where stream = ${stream})`
          const version =
            events.length === 0 ? undefined : yield* insert(stream, events, source, sql`head.version = ${expected}`)
          return { version, actual: version ?? (yield* versionOf(stream)) }
        }).pipe(
          storageError("EventLog.appendAt"),
          Effect.flatMap(({ actual, version }) =>
            version !== undefined || (events.length === 0 && actual === expected)
              ? Effect.succeed(actual)
              : Effect.fail(new StreamVersionConflict({ stream, expected, actual }))
          )
        ),

      readStream: Effect.fnUntraced(function* (stream, { afterVersion, limit, tags }) {
        const tagged = tags === undefined ? sql`` : sql`and tag = any(${tags}::text[])`
        return yield* read(
          yield* sql`select ${columns} from events
            where stream = ${stream} and stream_version > ${afterVersion} ${tagged}
            order by stream_version limit ${limit}`
        )
      }, storageError("EventLog.readStream")),

      readAll: Effect.fnUntraced(function* (after, limit) {
        const { pos, txid } = yield* parseCursor(after)
        const rows = yield* decode(
          yield* sql`select ${columns} from events
            where (events.txid, events.pos) > (${txid}::text::xid8, ${pos}::text::bigint)
              and events.txid < pg_snapshot_xmin(pg_current_snapshot())
            order by events.txid, events.pos limit ${limit}`
        )
        const last = rows.at(-1)
        return {
          events: rows.map(toStored),
          next: last === undefined ? after : EventCursor.make(`${last.txid}.${last.pos}`)
        }
      }, storageError("EventLog.readAll")),

      find: Effect.fnUntraced(function* (id) {
        const [found] = yield* read(yield* sql`select ${columns} from events where event_id = ${id}`)
        return Option.fromUndefinedOr(found)
      }, storageError("EventLog.find"))
    })
  })
)

const toStored = (row: typeof Row.Type): StoredEvent => ({
  ...row.event,
  stream: row.stream,
  streamVersion: row.stream_version
})

/** A cursor that this log did not hand out is an error of the caller. */
const parseCursor = (cursor: EventCursor | undefined) => {
  if (cursor === undefined) return Effect.succeed({ txid: "0", pos: "0" })
  const [, txid, pos] = /^(\d{1,20})\.(\d{1,19})$/.exec(cursor) ?? []
  return txid === undefined || pos === undefined
    ? Effect.die(`not a cursor of this log: ${cursor}`)
    : Effect.succeed({ txid, pos })
}
