/** How executions that start at once are written, as members of a `with` clause: one statement for any number of them. */
import type { StartedExecution } from "@fairlead/core/executions/AdmissionStore"
import { streamOf } from "@fairlead/core/ids/Subject"
import { DateTime, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { encodeExecution } from "../PostgresExecutionStore.ts"
import { encodeSaga } from "../PostgresSagaStore.ts"
import { boundedWait, encodeEvents } from "./eventRows.ts"
import { encodeEntries } from "./journalRows.ts"

/** Its models as the texts of `jsonb` values. */
export interface EncodedBeginning extends StartedExecution {
  readonly executionJson: string
  readonly sagaJson: string
  readonly eventsJson: string
  readonly entriesJson: string
}

export const encodeBeginning = Effect.fnUntraced(function* (beginning: StartedExecution) {
  const encoded: EncodedBeginning = {
    ...beginning,
    executionJson: yield* encodeExecution(beginning.execution),
    sagaJson: yield* encodeSaga(beginning.saga),
    eventsJson: yield* encodeEvents(beginning.events),
    entriesJson: yield* encodeEntries(beginning.entries)
  }
  return encoded
})

const columnsOf = (sql: SqlClient.SqlClient, beginnings: ReadonlyArray<EncodedBeginning>) => {
  const each = <A>(member: (beginning: EncodedBeginning) => A) => beginnings.map(member)
  return sql`${each(({ execution }) => execution.executionId)}::uuid[], ${each(({ saga }) => saga.sagaId)}::uuid[],
    ${each(({ execution }) => execution.ownerId)}::uuid[], ${each(({ execution }) => execution.status)}::text[],
    ${each(({ execution }) => execution.lang)}::text[], ${each(({ execution }) => DateTime.formatIso(execution.createdAt))}::text[],
    ${each(({ executionJson }) => executionJson)}::text[], ${each(({ saga }) => saga.state)}::text[],
    ${each(({ saga }) => saga.dispatch)}::int[], ${each(({ saga }) => saga.fence)}::int[],
    ${each(({ entry }) => entry.nodeId ?? "")}::text[], ${each(({ sagaJson }) => sagaJson)}::text[],
    ${each(({ entry }) => entry.runtime)}::text[], ${each(({ entry }) => entry.requirement)}::text[],
    ${each(({ entry }) => entry.priority)}::int[], ${each(({ entry }) => DateTime.formatIso(entry.rankAt))}::text[],
    ${each(({ entry }) => DateTime.formatIso(entry.queuedAt))}::text[], ${each(({ entry }) => DateTime.formatIso(entry.expiresAt))}::text[],
    ${each(({ saga }) => streamOf(saga.subject))}::text[], ${each(({ events }) => events.length)}::int[],
    ${each(({ eventsJson }) => eventsJson)}::text[], ${each(({ saga }) => saga.executor ?? "")}::text[],
    ${each(({ saga }) => DateTime.formatIso(saga.updatedAt))}::text[], ${each(({ entriesJson }) => entriesJson)}::text[]`
}

/**
 * Defines `lined`: the executions that did not have to wait, of which alone anything is written. An item of the engine bears the id of
 * its saga as its lock, which is how the engine of this instance knows what it holds. Several wait for a lock only as long as
 * `insertBatches` does.
 */
export const beginAll = (sql: SqlClient.SqlClient, beginnings: ReadonlyArray<EncodedBeginning>) => {
  const bounded = beginnings.length > 1 ? sql`${boundedWait(sql)},` : sql``
  return sql`
  beginnings as materialized (
    select b.* from ${bounded} unnest(${columnsOf(sql, beginnings)}) as b (execution_id, saga_id, owner_id, status, lang,
      created_at, execution, state, dispatch, fence, node_id, saga, runtime, requirement, priority, rank_at, queued_at, expires_at,
      stream, event_count, events, executor, at, entries)
  ),
  queued as (
    insert into queue_entries (execution_id, saga_id, owner_id, runtime, requirement, priority, state, rank_at, queued_at, expires_at, node_id)
    select execution_id, saga_id, owner_id, runtime, requirement, priority, 'assigned', rank_at::timestamptz, queued_at::timestamptz,
      expires_at::timestamptz, node_id
    from beginnings b
    where not exists (select 1 from queue_pauses where scope in ('all', b.runtime))
      and not exists (select 1 from queue_entries q where q.runtime = b.runtime and q.state = 'waiting')
    returning execution_id
  ),
  accepted as (
    insert into executions (execution_id, owner_id, status, lang, created_at, execution)
    select execution_id, owner_id, status, lang, created_at::timestamptz, execution::jsonb from beginnings join queued using (execution_id)
  ),
  begun as (
    insert into sagas (saga_id, subject_kind, subject_id, owner_id, state, dispatch, fence, node_id, suspended, saga)
    select saga_id, 'execution', execution_id, owner_id, state, dispatch, fence, node_id, false, saga::jsonb from beginnings join queued using (execution_id)
  ),
  logged as (
    insert into saga_log (saga_id, seq, fence, at, entry, executor)
    select saga_id, e.n::int, fence, at::timestamptz, e.entry, nullif(executor, '')
    from beginnings join queued using (execution_id), jsonb_array_elements(entries::jsonb) with ordinality as e (entry, n)
  ),
  held as (
    insert into effect_queue (id, queue_name, element, state, attempts, visible_at, acquired_at, acquired_by, created_at, updated_at)
    select saga_id || ':' || dispatch, 'sagas/' || node_id, jsonb_build_object('sagaId', saga_id, 'dispatch', dispatch)::text,
      'pending', 1, now(), now(), saga_id, now(), now()
    from beginnings join queued using (execution_id)
  ),
  heads as (
    insert into stream_heads (stream, version, txid)
    select stream, event_count, pg_current_xact_id() from beginnings join queued using (execution_id) order by stream
    returning stream, txid
  ),
  added as (
    insert into events (txid, stream, stream_version, event_id, tag, event)
    select heads.txid, heads.stream, e.n::int, (e.event ->> 'eventId')::uuid, e.event -> 'event' ->> '_tag', e.event
    from heads join beginnings b using (stream), jsonb_array_elements(b.events::jsonb) with ordinality as e (event, n)
    order by heads.stream, e.n
  )`
}
