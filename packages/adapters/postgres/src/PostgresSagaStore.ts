/** `SagaStore` over `sagas` and `saga_log`. The column beside the model that repeats one of its fields always equals it. */

import { SagaId } from "@fairlead/core/ids/SagaId"
import { CancelRequest, Saga } from "@fairlead/core/sagas/Saga"
import { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { type SagaFilter, SagaStore } from "@fairlead/core/sagas/SagaStore"
import { maxCounted, totalOf } from "@fairlead/core/storage/CountedTotal"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const stored = jsonText(Saga)
const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ saga: stored })))
/** The whole model as the text of a `jsonb` value. */
export const encodeSaga = Schema.encodeEffect(stored)

/** Without what is to be done when it exists. */
export const insertSaga = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, saga: Saga) {
  return sql`insert into sagas (saga_id, subject_kind, subject_id, owner_id, state, dispatch, fence, node_id, suspended, saga)
    values (${saga.sagaId}, ${saga.subject.kind}, ${saga.subject.id}, ${saga.ownerId}, ${saga.state}, ${saga.dispatch}, ${saga.fence},
      ${saga.nodeId ?? null}, ${saga.suspended ?? false}, ${yield* encodeSaga(saga)}::text::jsonb)`
})

const encodeClaim = Schema.encodeEffect(
  jsonText(Schema.Struct({ executor: Schema.String, updatedAt: Schema.DateTimeUtcFromString }))
)
const encodeCancel = Schema.encodeEffect(jsonText(Schema.Struct({ cancelRequest: CancelRequest })))

const decodeLog = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      seq: Schema.Int,
      fence: Schema.Int,
      at: Schema.DateTimeUtcFromDate,
      entry: jsonText(SagaEntry),
      executor: Schema.NullOr(Schema.String)
    })
  )
)
const decodePulse = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ saga_id: SagaId, fence: Schema.Int, cancel: Schema.NullOr(jsonText(CancelRequest)) }))
)

export const layer = Layer.effect(
  SagaStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const wakeups = yield* Wakeups
    // The condition is the one of the index sagas_live.
    const live = sql`state in ('created', 'running', 'compensating')`

    const lastProgressAt = sql`coalesce(saga #>> '{lastEntry,at}',
      saga ->> case saga ->> 'logLength' when '0' then 'createdAt' else 'updatedAt' end) collate "C"`

    /** By state they lean on sagas_live or sagas_turned_back, by time on sagas_created; stored times all have one form. */
    const matching = (filter: SagaFilter) => {
      const { createdFrom, createdTo, nodeId, ownerId, sagaName, state, subject, stalledSince } = filter
      return sql.and([
        sql`true`,
        ...(ownerId === undefined ? [] : [sql`owner_id = ${ownerId}`]),
        ...(subject === undefined ? [] : [sql`subject_kind = ${subject.kind} and subject_id = ${subject.id}`]),
        ...(state === undefined ? [] : [sql`state = ${state}`]),
        ...(sagaName === undefined ? [] : [sql`saga ->> 'sagaName' = ${sagaName}`]),
        ...(nodeId === undefined ? [] : [sql`node_id = ${nodeId}`]),
        ...(createdFrom === undefined ? [] : [sql`created_at >= ${DateTime.formatIso(createdFrom)}`]),
        ...(createdTo === undefined ? [] : [sql`created_at < ${DateTime.formatIso(createdTo)}`]),
        ...(stalledSince === undefined
          ? []
          : [sql`${live} and ${lastProgressAt} < ${DateTime.formatIso(stalledSince)}`])
      ])
    }

    const first = (rows: ReadonlyArray<unknown>) =>
      Effect.map(decode(rows), ([row]) => Option.map(Option.fromUndefinedOr(row), ({ saga }) => saga))

    return SagaStore.of({
      insert: Effect.fnUntraced(function* (saga) {
        const added = yield* sql`${yield* insertSaga(sql, saga)} on conflict do nothing returning saga_id`
        if (added.length === 0) return yield* Effect.die(`saga ${saga.sagaId} exists`)
      }, storageError("SagaStore.insert")),

      find: Effect.fnUntraced(function* (id) {
        return yield* first(yield* sql`select saga::text as saga from sagas where saga_id = ${id}`)
      }, storageError("SagaStore.find")),

      list: Effect.fnUntraced(function* (filter) {
        const matches = matching(filter)
        const rows = yield* decode(
          yield* sql`select saga::text as saga from sagas where ${matches}
            order by saga_id desc limit ${filter.limit} offset ${filter.offset}`
        )
        const [count] = yield* sql<{
          readonly total: number
        }>`select count(*)::int as total from (select 1 from sagas where ${matches} limit ${maxCounted}) counted`
        const sagas = rows.map(({ saga }) => saga)
        return { sagas, total: totalOf(filter, count?.total ?? 0, sagas.length) }
      }, storageError("SagaStore.list")),

      claim: Effect.fnUntraced(function* (id, dispatch, executor) {
        const patch = yield* encodeClaim({ executor, updatedAt: yield* DateTime.now })
        const state = sql`case state when 'created' then 'running' else state end`
        return yield* first(
          yield* sql`update sagas set fence = fence + 1, state = ${state},
              saga = saga || ${patch}::text::jsonb || jsonb_build_object('fence', fence + 1, 'state', ${state})
            where saga_id = ${id} and dispatch = ${dispatch} and ${live} returning saga::text as saga`
        )
      }, storageError("SagaStore.claim")),

      redispatch: Effect.fnUntraced(function* (id, { fenceOff = false, nodeId, suspended = false }) {
        const fence = fenceOff ? sql`fence + 1` : sql`fence`
        return yield* first(
          yield* sql`update sagas set dispatch = dispatch + 1, fence = ${fence}, node_id = ${nodeId ?? null}, suspended = ${suspended},
              saga = (saga - '{nodeId,suspended}'::text[]) || jsonb_strip_nulls(jsonb_build_object('dispatch', dispatch + 1,
                'fence', ${fence}, 'nodeId', ${nodeId ?? null}::text, 'suspended', nullif(${suspended}, false)))
            where saga_id = ${id} and ${live} returning saga::text as saga`
        )
      }, storageError("SagaStore.redispatch")),

      nodes: sql<{
        readonly nodeId: string | null
      }>`select distinct node_id as "nodeId" from sagas where ${live} and not suspended`.pipe(
        Effect.map((rows) => rows.map(({ nodeId }) => nodeId ?? undefined)),
        storageError("SagaStore.nodes")
      ),

      onNode: Effect.fnUntraced(function* (nodeId, limit) {
        const rows = yield* decode(
          yield* sql`select saga::text as saga from sagas where ${live} and not suspended and node_id = ${nodeId}
            order by saga_id limit ${limit}`
        )
        return rows.map(({ saga }) => saga)
      }, storageError("SagaStore.onNode")),

      stalled: Effect.fnUntraced(function* (stalledSince, { after, limit, ownerId }) {
        const waits = sql`exists (select 1 from queue_entries q
          where subject_kind = 'execution' and q.execution_id = sagas.subject_id and q.saga_id = sagas.saga_id and q.state <> 'assigned')`
        const behind = after === undefined ? sql`true` : sql`saga_id > ${after}`
        const rows = yield* decode(
          yield* sql`select saga::text as saga from sagas
            where ${matching({ stalledSince, ownerId, limit, offset: 0 })} and ${behind} and not ${waits}
            order by saga_id limit ${limit}`
        )
        return rows.map(({ saga }) => saga)
      }, storageError("SagaStore.stalled")),

      log: Effect.fnUntraced(function* (id) {
        const rows = yield* decodeLog(
          yield* sql`select seq, fence, at, entry::text as entry, executor from saga_log
            where saga_id = ${id} order by seq limit 10000`
        )
        return rows.map(({ executor, ...entry }) => (executor === null ? entry : { ...entry, executor }))
      }, storageError("SagaStore.log")),

      requestCancel: Effect.fnUntraced(function* (id, cancelRequest) {
        const patch = yield* encodeCancel({ cancelRequest })
        const found = yield* first(
          yield* sql`update sagas set saga = ${patch}::text::jsonb || saga where saga_id = ${id} and ${live} returning saga::text as saga`
        )
        if (Option.isSome(found)) yield* wakeups.send(`saga/${id}`)
        return found
      }, storageError("SagaStore.requestCancel")),

      pulse: Effect.fnUntraced(function* (ids) {
        const rows = yield* decodePulse(
          yield* sql`select saga_id, fence, (saga -> 'cancelRequest')::text as cancel from sagas where saga_id = any(${ids}::uuid[])`
        )
        return rows.map(({ cancel, fence, saga_id }) => ({
          sagaId: saga_id,
          fence,
          cancelRequest: cancel ?? undefined
        }))
      }, storageError("SagaStore.pulse"))
    })
  })
)
