/**
 * `ConsumerGroupStore` over `bus_groups` and `bus_deliveries`. The row of a group is the lock of its lease, which runs by the clock of the
 * server.
 *
 * A group's cursor holds a transaction number, which belongs to a server. After a restore on another one, before the events are
 * stamped anew (see PostgresEventLog), run: `update bus_groups g set cursor = '0.' || coalesce((select min(e.pos) - 1 from
 * events e where g.cursor is null or (e.txid, e.pos) > (split_part(g.cursor, '.', 1)::xid8, split_part(g.cursor, '.', 2)::bigint)),
 * (select coalesce(max(pos), 0) from events)), lease_until = null`.
 */
import { type BusLease, ConsumerGroupStore } from "@fairlead/core/bus/ConsumerGroupStore"
import { Delivery } from "@fairlead/core/bus/Delivery"
import { EventCursor } from "@fairlead/core/events/EventLog"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ delivery: jsonText(Delivery) })))
const decodeDead = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ total: Schema.Int, delivery: Schema.NullOr(jsonText(Delivery)) }))
)
const encode = Schema.encodeEffect(jsonText(Schema.Array(Delivery)))
const decodeClaim = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ fence: Schema.Int, cursor: Schema.NullOr(EventCursor) }))
)
const encodeRedrive = Schema.encodeEffect(
  jsonText(
    Schema.Struct({
      state: Schema.Literal("retry"),
      attempts: Schema.Int,
      visibleAt: Schema.DateTimeUtcFromString,
      updatedAt: Schema.DateTimeUtcFromString
    })
  )
)

/** Forgets who holds the groups. Only for a process that is alone with its database and consumes nothing yet. */
export const releaseAll = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`update bus_groups set lease_until = null where lease_until is not null`
).pipe(storageError("ConsumerGroupStore.releaseAll"))

export const layer = Layer.effect(
  ConsumerGroupStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const held = ({ fence, group }: BusLease) =>
      sql`group_name = ${group} and fence = ${fence} and lease_until is not null`
    const until = (millis: number) => sql`clock_timestamp() + ${millis}::float8 * interval '1 millisecond'`

    const read = (rows: ReadonlyArray<unknown>) =>
      Effect.map(decode(rows), (decoded) => decoded.map(({ delivery }) => delivery))

    return ConsumerGroupStore.of({
      register: Effect.fnUntraced(function* (group, from) {
        // The newest event that readers may see. Later ones have a higher place, whenever they were written.
        const nodeId =
          from === "beginning"
            ? sql`null`
            : sql`(select txid::text || '.' || pos from events where txid < pg_snapshot_xmin(pg_current_snapshot())
                order by events.txid desc, events.pos desc limit 1)`
        yield* sql`insert into bus_groups (group_name, cursor, fence) values (${group}, ${nodeId}, 0) on conflict do nothing`
      }, storageError("ConsumerGroupStore.register")),

      claim: Effect.fnUntraced(function* (group, leaseMillis) {
        const [row] = yield* decodeClaim(
          yield* sql`update bus_groups set fence = fence + 1, lease_until = ${until(leaseMillis)}
            where group_name = ${group} and (lease_until is null or lease_until <= clock_timestamp())
            returning fence, cursor`
        )
        return Option.map(Option.fromUndefinedOr(row), ({ cursor, fence }) => ({
          group,
          fence,
          cursor: cursor ?? undefined
        }))
      }, storageError("ConsumerGroupStore.claim")),

      renew: Effect.fnUntraced(function* (lease, leaseMillis) {
        const rows = yield* sql`update bus_groups set lease_until = ${until(leaseMillis)}
          where ${held(lease)} returning 1 as renewed`
        return rows.length > 0
      }, storageError("ConsumerGroupStore.renew")),

      release: Effect.fnUntraced(function* (lease) {
        yield* sql`update bus_groups set lease_until = null where ${held(lease)}`
      }, storageError("ConsumerGroupStore.release")),

      backlog: Effect.fnUntraced(function* (group, now, limit) {
        const [row] = yield* sql<{ readonly size: number }>`select count(*)::int as size from bus_deliveries
          where group_name = ${group} and state = 'retry'`
        const size = row?.size ?? 0
        if (size === 0) return { due: [], size }
        const due = yield* read(
          yield* sql`select delivery::text as delivery from (
              select distinct on (stream) visible_at, delivery from bus_deliveries
              where group_name = ${group} and state = 'retry' order by stream, stream_version) oldest
            where visible_at <= ${DateTime.formatIso(now)}::timestamptz order by visible_at limit ${limit}`
        )
        return { due, size }
      }, storageError("ConsumerGroupStore.backlog")),

      blocked: Effect.fnUntraced(function* (group, streams) {
        const rows = yield* sql<{ readonly stream: string }>`select distinct stream from bus_deliveries
          where group_name = ${group} and state = 'retry' and stream = any(${streams}::text[])`
        return new Set(rows.map(({ stream }) => stream))
      }, storageError("ConsumerGroupStore.blocked")),

      commit: Effect.fnUntraced(function* (lease, { cursor, kept, taken }) {
        const rows = yield* sql`with
          holder as (update bus_groups set cursor = ${cursor ?? null} where ${held(lease)} returning group_name),
          taken as (delete from bus_deliveries d using holder
            where d.group_name = holder.group_name and d.event_id = any(${taken}::uuid[])),
          kept as (
            insert into bus_deliveries
              (group_name, event_id, stream, stream_version, state, visible_at, updated_at, delivery)
            select holder.group_name, (d ->> 'eventId')::uuid, d ->> 'stream', (d ->> 'streamVersion')::int, d ->> 'state',
              (d ->> 'visibleAt')::timestamptz, (d ->> 'updatedAt')::timestamptz, d
            from holder, jsonb_array_elements(${yield* encode(kept)}::text::jsonb) d
            on conflict (group_name, event_id) do update set state = excluded.state, visible_at = excluded.visible_at,
              updated_at = excluded.updated_at, delivery = excluded.delivery)
          select 1 as written from holder`
        return rows.length > 0
      }, storageError("ConsumerGroupStore.commit")),

      dead: Effect.fnUntraced(function* (group, limit, offset) {
        // One statement, so that page and total are of the same moment. The left side is there when the page is empty.
        const rows = yield* decodeDead(
          yield* sql`select counted.total, page.delivery::text as delivery
            from (select count(*)::int as total from bus_deliveries where group_name = ${group} and state = 'dead') counted
            left join (select updated_at, event_id, delivery from bus_deliveries
              where group_name = ${group} and state = 'dead'
              order by updated_at desc, event_id desc limit ${limit} offset ${offset}) page on true
            order by page.updated_at desc, page.event_id desc`
        )
        return {
          deliveries: rows.flatMap(({ delivery }) => delivery ?? []),
          total: rows[0]?.total ?? 0
        }
      }, storageError("ConsumerGroupStore.dead")),

      finalize: Effect.fnUntraced(function* (group, eventId, verdict, now) {
        const dead = sql`group_name = ${group} and event_id = ${eventId} and state = 'dead'`
        if (verdict === "discard")
          return (yield* sql`delete from bus_deliveries where ${dead} returning 1 as settled`).length > 0
        const patch = yield* encodeRedrive({ state: "retry", attempts: 0, visibleAt: now, updatedAt: now })
        const at = DateTime.formatIso(now)
        const rows = yield* sql`update bus_deliveries set state = 'retry', visible_at = ${at}::timestamptz,
            updated_at = ${at}::timestamptz, delivery = delivery || ${patch}::text::jsonb
          where ${dead} returning 1 as settled`
        return rows.length > 0
      }, storageError("ConsumerGroupStore.finalize"))
    })
  })
)
