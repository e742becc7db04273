/** How moves of sagas are written, as members of a `with` clause: one statement for any number of them. */
import { Execution } from "@fairlead/core/executions/Execution"
import { isTerminal } from "@fairlead/core/executions/ExecutionStatus"
import { streamOf } from "@fairlead/core/ids/Subject"
import type { JournalWrite } from "@fairlead/core/sagas/Journal"
import { isEnded, SagaState } from "@fairlead/core/sagas/Saga"
import { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { DateTime, Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { encodeExecution } from "../PostgresExecutionStore.ts"
import { encodeSaga } from "../PostgresSagaStore.ts"
import { boundedWait, encodeEvents } from "./eventRows.ts"
import { jsonText } from "./jsonText.ts"

const endStates = SagaState.literals.filter(isEnded)

export const encodeEntries = Schema.encodeEffect(jsonText(Schema.Array(SagaEntry)))

/** A write, its models as the texts of `jsonb` values. */
export interface EncodedWrite {
  readonly sagaId: string
  readonly subjectId: string
  readonly stream: string
  readonly fence: number
  readonly state: string
  readonly saga: string
  /** Empty: not known. */
  readonly executor: string
  readonly at: string
  /** Entries that the log has before these. */
  readonly logged: number
  readonly entries: string
  /** Empty, like its status: the execution stays as it is. */
  readonly execution: string
  readonly status: string
  readonly ended: boolean
  readonly eventCount: number
  readonly events: string
}

export const encodeWrite = Effect.fnUntraced(function* (write: JournalWrite) {
  const { at, entries, events, saga, subject } = write
  if (subject !== undefined && !(subject instanceof Execution))
    return yield* Effect.die(`the journal does not write a subject of the kind ${saga.subject.kind}`)
  const encoded: EncodedWrite = {
    sagaId: saga.sagaId,
    subjectId: saga.subject.id,
    stream: streamOf(saga.subject),
    fence: saga.fence,
    state: saga.state,
    saga: yield* encodeSaga(saga),
    executor: saga.executor ?? "",
    at: DateTime.formatIso(at),
    logged: saga.logLength - entries.length,
    entries: yield* encodeEntries(entries),
    execution: subject === undefined ? "" : yield* encodeExecution(subject),
    status: subject?.status ?? "",
    ended: subject !== undefined && isTerminal(subject.status),
    eventCount: events.length,
    events: yield* encodeEvents(events)
  }
  return encoded
})

const columnsOf = (sql: SqlClient.SqlClient, writes: ReadonlyArray<EncodedWrite>) => {
  const each = <A>(member: (write: EncodedWrite) => A) => writes.map(member)
  return sql`${each(({ sagaId }) => sagaId)}::uuid[], ${each(({ subjectId }) => subjectId)}::uuid[],
    ${each(({ stream }) => stream)}::text[], ${each(({ fence }) => fence)}::int[], ${each(({ state }) => state)}::text[],
    ${each(({ saga }) => saga)}::text[], ${each(({ executor }) => executor)}::text[], ${each(({ at }) => at)}::text[],
    ${each(({ logged }) => logged)}::int[], ${each(({ entries }) => entries)}::text[],
    ${each(({ execution }) => execution)}::text[], ${each(({ status }) => status)}::text[],
    ${each(({ ended }) => ended)}::boolean[], ${each(({ eventCount }) => eventCount)}::int[],
    ${each(({ events }) => events)}::text[]`
}

/**
 * Defines `moved`: the sagas that bore their writer's fence, and of which alone anything is written. `dispatch`, `nodeId`, `suspended` and
 * the cancel request of the saga and name and labels of the execution stay what they are in the row: others write them. Several writes wait for a lock only as long as
 * `insertBatches` does; no two may be of one execution. With a saga that ends goes its item of the engine.
 *
 * Assignment locks entries of the queue and then their sagas, so an end does the same: the other way round each could wait for the other.
 * What goes is named by arrays and not joined: a plan that does not know how many writes there are would compare each with each.
 */
export const writeAll = (sql: SqlClient.SqlClient, writes: ReadonlyArray<EncodedWrite>) => {
  const bounded = writes.length > 1 ? sql`${boundedWait(sql)},` : sql``
  return sql`
  writes as materialized (
    select w.* from ${bounded} unnest(${columnsOf(sql, writes)}) as w (saga_id, subject_id, stream, fence, state, saga,
      executor, at, logged, entries, execution, status, ended, event_count, events)
  ),
  queued as (
    select 1 from (select subject_id from writes where ended order by subject_id) w
      cross join lateral (select 1 from queue_entries q where q.execution_id = w.subject_id for update) q
  ),
  moved as (
    update sagas s set state = w.state,
      saga = (w.saga::jsonb - '{cancelRequest,nodeId,suspended}'::text[]) || jsonb_strip_nulls(
        jsonb_build_object('dispatch', s.dispatch, 'cancelRequest', s.saga -> 'cancelRequest',
          'nodeId', s.node_id, 'suspended', nullif(s.suspended, false)))
    from writes w
    where s.saga_id = w.saga_id and s.fence = w.fence and (select count(*) from queued) >= 0
    returning s.saga_id, s.dispatch, s.node_id
  ),
  logged as (
    insert into saga_log (saga_id, seq, fence, at, entry, executor)
    select w.saga_id, w.logged + e.n::int, w.fence, w.at::timestamptz, e.entry, nullif(w.executor, '')
    from writes w join moved using (saga_id), jsonb_array_elements(w.entries::jsonb) with ordinality as e (entry, n)
  ),
  changed as (
    update executions x set status = w.status,
      execution = (w.execution::jsonb - '{name,labels}'::text[]) || jsonb_strip_nulls(
        jsonb_build_object('name', x.execution -> 'name', 'labels', x.execution -> 'labels'))
    from writes w join moved using (saga_id) where x.execution_id = w.subject_id and w.status <> ''
  ),
  dequeued as (
    delete from effect_queue q
    where q.id = any(array(select w.saga_id || ':' || m.dispatch from writes w join moved m using (saga_id)
        where ${sql.in("w.state", endStates)}))
      and q.queue_name = any(array(select distinct 'sagas' || coalesce('/' || node_id, '') from moved))
  ),
  left_queue as (
    delete from queue_entries q
    where q.execution_id = any(array(select w.subject_id from writes w join moved using (saga_id) where w.ended))
  ),
  heads as (
    insert into stream_heads as head (stream, version, txid)
    select w.stream, w.event_count, pg_current_xact_id() from writes w join moved using (saga_id)
    where w.event_count > 0 order by w.stream
    on conflict (stream) do update
      set version = head.version + excluded.version, txid = greatest(head.txid, excluded.txid)
    returning stream, version, txid
  ),
  added as (
    insert into events (txid, stream, stream_version, event_id, tag, event)
    select heads.txid, heads.stream, heads.version - w.event_count + e.n::int,
      (e.event ->> 'eventId')::uuid, e.event -> 'event' ->> '_tag', e.event
    from heads join writes w using (stream), jsonb_array_elements(w.events::jsonb) with ordinality as e (event, n)
    order by heads.stream, e.n
  )`
}
