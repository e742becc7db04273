/**
 * How events are written, as members of a `with` clause, so that one statement can write them beside other rows.
 *
 * The row of `stream_heads` is the stream's lock. `txid` orders the whole log: it is the writer's transaction, or the head's when
 * that is newer (the stream was written meanwhile by a transaction that began later). So within a stream neither `txid` nor
 * `pos` ever falls, and an event's `txid` is never below the one of its transaction, which is what readers rely on.
 */
import { NewEvent } from "@fairlead/core/events/StoredEvent"
import { Schema } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { jsonText } from "./jsonText.ts"

export const encodeEvents = Schema.encodeEffect(jsonText(Schema.Array(NewEvent)))

export interface EventInsert {
  readonly stream: string
  readonly count: number
  /** From `encodeEvents`. */
  readonly json: string
  /** Rest of the select that makes the head row: `from`, `where`; nothing for always. */
  readonly source: Statement.Fragment
  /** Condition on `head.version` under which an existing stream is written. */
  readonly expected: Statement.Fragment
}

/** Defines `heads` (one row with the new `version`, none when refused) and `added`. */
export const insertEvents = (sql: SqlClient.SqlClient, { count, expected, json, source, stream }: EventInsert) => sql`
  heads as (
    insert into stream_heads as head (stream, version, txid)
    select ${stream}::text, ${count}::int, pg_current_xact_id() ${source}
    on conflict (stream) do update
      set version = head.version + excluded.version, txid = greatest(head.txid, excluded.txid)
      where ${expected}
    returning version, txid
  ),
  added as (
    insert into events (txid, stream, stream_version, event_id, tag, event)
    select heads.txid, ${stream}::text, heads.version - ${count}::int + e.n::int,
      (e.event ->> 'eventId')::uuid, e.event -> 'event' ->> '_tag', e.event
    from heads, jsonb_array_elements(${json}::text::jsonb) with ordinality as e (event, n)
    order by e.n
  )`

/** Events for one stream, among those for others. */
export interface EventBatch {
  readonly stream: string
  readonly count: number
  /** From `encodeEvents`. */
  readonly json: string
}

/**
 * Most milliseconds that a statement for several writers waits for the lock of one of them. Far below the server's
 * `deadlock_timeout`, so that it never is what makes another's transaction fail, and bounds for how long others wait behind it.
 */
const lockMillis = 200

/** A source of one row for the first select of a statement: from then on it waits for no lock longer than that. */
export const boundedWait = (sql: SqlClient.SqlClient) =>
  sql`(select set_config('lock_timeout', ${`${lockMillis}ms`}, true)) bounded`

/** Defines `heads` (`stream`, and its `version` behind all that is added) and `added`. Streams are locked in one order. */
export const insertBatches = (sql: SqlClient.SqlClient, batches: ReadonlyArray<EventBatch>) => {
  const totals = new Map<string, number>()
  const before = batches.map(({ count, stream }) => {
    const total = totals.get(stream) ?? 0
    totals.set(stream, total + count)
    return total
  })
  return sql`
  heads as (
    insert into stream_heads as head (stream, version, txid)
    select s.stream, s.total, pg_current_xact_id()
    from ${boundedWait(sql)},
      unnest(${[...totals.keys()]}::text[], ${[...totals.values()]}::int[]) s (stream, total)
    order by s.stream
    on conflict (stream) do update
      set version = head.version + excluded.version, txid = greatest(head.txid, excluded.txid)
    returning stream, version, txid
  ),
  added as (
    insert into events (txid, stream, stream_version, event_id, tag, event)
    select heads.txid, heads.stream, heads.version - b.total + b.before + e.n::int,
      (e.event ->> 'eventId')::uuid, e.event -> 'event' ->> '_tag', e.event
    from unnest(${batches.map(({ stream }) => stream)}::text[], ${batches.map(({ stream }) => totals.get(stream) ?? 0)}::int[],
        ${before}::int[], ${batches.map(({ json }) => json)}::text[]) with ordinality as b (stream, total, before, json, i)
      join heads using (stream), jsonb_array_elements(b.json::jsonb) with ordinality as e (event, n)
    order by b.i, e.n
  )`
}
