/**
 * `QueueStore` over `queue_entries`. Admission holds an advisory lock, so that instances admit one after the other and count what
 * is really there; the choice itself is one statement that reads the index of waiting entries owner by owner, and so costs the
 * same whoever has thousands in it.
 */
import type { PauseScope, QueueCounts } from "@fairlead/core/queue/QueueLoad"
import type { NodeOffer, QueueLimits } from "@fairlead/core/queue/QueueOrder"
import { type QueueFilter, QueueStore } from "@fairlead/core/queue/QueueStore"
import type { RuntimeKind } from "@fairlead/core/runtime/Job"
import { DateTime, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { decodeEntries, decodeLoad, decodeNodes, decodePauses, entryColumns } from "./internal/queueRows.ts"
import { storageError } from "./PostgresError.ts"

/** Names the lock of admission; any number that nothing else in this database locks. */
const admissionLock = 718_281_828
/** Sets the locks of concurrency keys apart from other hashed ones. */
const keyLockSeed = 1_618_033

export const layer = Layer.effect(
  QueueStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const columns = entryColumns(sql)
    const iso = (time: DateTime.Utc | undefined) => (time === undefined ? null : DateTime.formatIso(time))
    const isPaused = (runtime: RuntimeKind) =>
      sql`exists (select 1 from queue_pauses where scope in ('all', ${runtime}))`
    const notAssigned = sql`state <> 'assigned'`

    /** The delays that are over, and then the first of each key that is free. */
    const ready = (now: DateTime.Utc) =>
      Effect.andThen(
        sql`update queue_entries set state = case when concurrency_key is null then 'waiting' else 'blocked' end
          where state = 'delayed' and run_at <= ${iso(now)}::timestamptz`,
        sql`update queue_entries set state = 'waiting' where execution_id in (
          select distinct on (owner_id, concurrency_key) execution_id from queue_entries b
          where state = 'blocked' and not exists (
            select 1 from queue_entries o where o.owner_id = b.owner_id and o.concurrency_key = b.concurrency_key
              and o.state in ('waiting', 'assigned'))
          order by owner_id, concurrency_key, rank_at, execution_id)`
      )

    /** The best entries of every owner, ranked by the share that the owner would have with each. Leans on queue_entries_waiting. */
    const chosen = ({ capabilities, limit, runtime }: NodeOffer, room: number, { perUser }: QueueLimits) => sql`
      with recursive owners (owner_id) as (
        (select owner_id from queue_entries where state = 'waiting' and runtime = ${runtime} order by owner_id limit 1)
        union all
        select (select q.owner_id from queue_entries q
          where q.state = 'waiting' and q.runtime = ${runtime} and q.owner_id > owners.owner_id order by q.owner_id limit 1)
        from owners where owners.owner_id is not null),
      shares as (select owner_id, count(*) as running from queue_entries where state = 'assigned' group by owner_id)
      select best.execution_id
      from owners left join shares using (owner_id) cross join lateral (
        select execution_id, rank_at, row_number() over (order by rank_at, execution_id) + coalesce(shares.running, 0) as share
        from (select execution_id, rank_at from queue_entries w
          where w.state = 'waiting' and w.runtime = ${runtime} and w.owner_id = owners.owner_id
            and w.requirement = any(${capabilities}::text[])
          order by rank_at, execution_id limit ${limit}) first) best
      where best.share <= ${perUser ?? 2_000_000_000}::bigint
      order by best.share, best.rank_at, best.execution_id limit ${room}`

    const roomOf = Effect.fnUntraced(function* (
      { capacity, limit, nodeId, runtime }: NodeOffer,
      { perRuntime }: QueueLimits
    ) {
      const [held] = yield* sql<{ readonly here: number; readonly kind: number; readonly paused: boolean }>`select
        (select count(*)::int from queue_entries where state = 'assigned' and node_id = ${nodeId}) as here,
        (select count(*)::int from queue_entries where state = 'assigned' and runtime = ${runtime}) as kind,
        ${isPaused(runtime)} as paused`
      if (held === undefined || held.paused) return 0
      return Math.max(0, Math.min(limit, capacity - held.here, (perRuntime?.[runtime] ?? Infinity) - held.kind))
    })

    const matching = ({ ownerId, runtime, state }: QueueFilter) =>
      sql.and([
        sql`true`,
        ...(ownerId === undefined ? [] : [sql`owner_id = ${ownerId}`]),
        ...(runtime === undefined ? [] : [sql`runtime = ${runtime}`]),
        ...(state === undefined ? [] : [sql`state = ${state}`])
      ])

    return QueueStore.of({
      enqueue: Effect.fnUntraced(function* (entry) {
        const { requirement, executionId, ownerId, nodeId, priority, runtime, sagaId, state } = entry
        const added =
          yield* sql`insert into queue_entries (execution_id, saga_id, owner_id, runtime, requirement, priority, state,
            rank_at, queued_at, run_at, expires_at, concurrency_key, node_id)
          values (${executionId}, ${sagaId}, ${ownerId}, ${runtime}, ${requirement}, ${priority}, ${state},
            ${iso(entry.rankAt)}::timestamptz, ${iso(entry.queuedAt)}::timestamptz, ${iso(entry.runAt)}::timestamptz,
            ${iso(entry.expiresAt)}::timestamptz, ${entry.concurrencyKey ?? null}, ${nodeId ?? null})
          on conflict do nothing returning 1 as added`
        if (added.length === 0) return yield* Effect.die(`execution ${executionId} is in the line`)
      }, storageError("QueueStore.enqueue")),

      assign: (offer, limits, now) =>
        sql
          .withTransaction(
            Effect.gen(function* () {
              yield* sql`select pg_advisory_xact_lock(${admissionLock})`
              yield* ready(now)
              const room = yield* roomOf(offer, limits)
              if (room === 0) return []
              const ids = (yield* chosen(offer, room, limits)).map((row) => row["execution_id"])
              const assigned = yield* decodeEntries(
                yield* sql`update queue_entries set state = 'assigned', node_id = ${offer.nodeId}
                  where execution_id = any(${ids}::uuid[]) and state = 'waiting' returning ${columns}`
              )
              return ids.flatMap((id) => assigned.find(({ executionId }) => executionId === id) ?? [])
            })
          )
          .pipe(storageError("QueueStore.assign")),

      requeue: Effect.fnUntraced(function* (entry) {
        const rows = yield* sql`update queue_entries set saga_id = ${entry.sagaId}, priority = ${entry.priority},
            state = ${entry.state}, rank_at = ${iso(entry.rankAt)}::timestamptz, queued_at = ${iso(entry.queuedAt)}::timestamptz,
            run_at = ${iso(entry.runAt)}::timestamptz, expires_at = ${iso(entry.expiresAt)}::timestamptz, node_id = null
          where execution_id = ${entry.executionId} and state = 'assigned' returning 1 as requeued`
        return rows.length > 0
      }, storageError("QueueStore.requeue")),

      withdraw: Effect.fnUntraced(function* (id) {
        const rows =
          yield* sql`delete from queue_entries where execution_id = ${id} and ${notAssigned} returning 1 as gone`
        return rows.length > 0
      }, storageError("QueueStore.withdraw")),

      claimKey: Effect.fnUntraced(function* (ownerId, key) {
        // The lock is of the key's own: without it two newcomers would each see a key that nobody has. Leans on queue_entries_key.
        yield* sql`select pg_advisory_xact_lock(hashtextextended(${`${ownerId} ${key}`}, ${keyLockSeed}))`
        return yield* decodeEntries(
          yield* sql`select ${columns} from queue_entries where owner_id = ${ownerId} and concurrency_key = ${key}
            order by rank_at, execution_id`
        )
      }, storageError("QueueStore.claimKey")),

      find: Effect.fnUntraced(function* (id) {
        const [row] = yield* decodeEntries(yield* sql`select ${columns} from queue_entries where execution_id = ${id}`)
        return Option.fromUndefinedOr(row)
      }, storageError("QueueStore.find")),

      list: Effect.fnUntraced(function* (filter) {
        const matches = matching(filter)
        const entries = yield* decodeEntries(
          yield* sql`select ${columns} from queue_entries where ${matches}
            order by rank_at, execution_id limit ${filter.limit} offset ${filter.offset}`
        )
        const [count] = yield* sql<{ readonly total: number }>`
          select count(*)::int as total from queue_entries where ${matches}`
        return { entries, total: count?.total ?? 0 }
      }, storageError("QueueStore.list")),

      ownAhead: Effect.fnUntraced(function* ({ executionId, ownerId, rankAt, runtime }) {
        const [count] = yield* sql<{ readonly ahead: number }>`select count(*)::int as ahead from queue_entries
          where state = 'waiting' and runtime = ${runtime} and owner_id = ${ownerId}
            and (rank_at, execution_id) < (${iso(rankAt)}::timestamptz, ${executionId}::uuid)`
        return count?.ahead ?? 0
      }, storageError("QueueStore.ownAhead")),

      counts: Effect.fnUntraced(function* (ownerId) {
        const [counts] = yield* sql<QueueCounts>`select count(*) filter (where state <> 'delayed')::int as active,
            count(*) filter (where state = 'delayed')::int as planned
          from queue_entries where owner_id = ${ownerId}`
        return counts ?? { active: 0, planned: 0 }
      }, storageError("QueueStore.counts")),

      load: Effect.gen(function* () {
        const owners = yield* decodeLoad(
          yield* sql`select owner_id as "ownerId", runtime, count(*) filter (where state = 'waiting')::int as waiting,
              count(*) filter (where state = 'delayed')::int as delayed,
              count(*) filter (where state = 'blocked')::int as blocked,
              count(*) filter (where state = 'assigned')::int as assigned
            from queue_entries group by owner_id, runtime`
        )
        const nodes = yield* decodeNodes(
          yield* sql`select node_id as "nodeId", count(*)::int as assigned from queue_entries where state = 'assigned' group by node_id`
        )
        const paused = yield* decodePauses(yield* selectPauses(sql))
        return {
          owners,
          nodes: new Map(nodes.map(({ assigned, nodeId }) => [nodeId, assigned])),
          paused: new Set<PauseScope>(paused.map(({ scope }) => scope))
        }
      }).pipe(storageError("QueueStore.load")),

      assignedTo: Effect.fnUntraced(function* (nodeId) {
        const entries = yield* decodeEntries(
          yield* sql`select ${columns} from queue_entries where state = 'assigned' and node_id = ${nodeId}`
        )
        return entries.map(({ executionId }) => executionId)
      }, storageError("QueueStore.assignedTo")),

      expired: Effect.fnUntraced(function* (now, limit) {
        return yield* decodeEntries(
          yield* sql`select ${columns} from queue_entries
            where ${notAssigned} and expires_at <= ${iso(now)}::timestamptz order by expires_at limit ${limit}`
        )
      }, storageError("QueueStore.expired")),

      reprioritise: Effect.fnUntraced(function* (id, priority, rankAt) {
        const rows = yield* sql`update queue_entries set priority = ${priority}, rank_at = ${iso(rankAt)}::timestamptz
          where execution_id = ${id} and ${notAssigned} returning 1 as changed`
        return rows.length > 0
      }, storageError("QueueStore.reprioritise")),

      pause: Effect.fnUntraced(function* ({ at, by, reason, scope }) {
        const rows = yield* sql`insert into queue_pauses (scope, at, paused_by, reason)
          values (${scope}, ${iso(at)}::timestamptz, ${by}, ${reason}) on conflict do nothing returning 1 as paused`
        return rows.length > 0
      }, storageError("QueueStore.pause")),

      resume: Effect.fnUntraced(function* (scope) {
        return (yield* sql`delete from queue_pauses where scope = ${scope} returning 1 as resumed`).length > 0
      }, storageError("QueueStore.resume")),

      pauses: Effect.flatMap(selectPauses(sql), decodePauses).pipe(storageError("QueueStore.pauses"))
    })
  })
)

const selectPauses = (sql: SqlClient.SqlClient) =>
  sql`select scope, at, paused_by as by, reason from queue_pauses order by at, scope`
