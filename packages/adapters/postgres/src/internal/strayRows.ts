/**
 * What is wrong between rows, asked in SQL. Each query names the rows that break one invariant, at most `limit`; JSON members are
 * compared as text, because a cast of what does not decode would end the query.
 */
import type { Violation } from "@fairlead/core/verification/Violation"
import type { Effect } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"

interface StrayQuery {
  readonly invariant: Violation["invariant"]
  /** Selects `key` and `detail`. */
  readonly rows: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>
  readonly table: string
}

const limit = 100

/** In no order that matters. Each reads the whole of its tables once, by index where there is one. */
export const strayQueries = (sql: SqlClient.SqlClient): ReadonlyArray<StrayQuery> => [
  ...ownerless(sql),
  ...columns(sql),
  ...order(sql),
  {
    invariant: "saga_queued",
    table: "sagas",
    rows: sql`select saga_id::text as key, 'it is ' || state || ' and has no queue item ' || dispatch as detail from sagas s
      where state in ('created', 'running', 'compensating') and not suspended and not exists (select 1 from effect_queue q
        where q.queue_name = 'sagas' || coalesce('/' || s.node_id, '') and q.id = s.saga_id || ':' || s.dispatch and q.state = 'pending')
      order by saga_id limit ${limit}`
  },
  ...line(sql).map((query) => ({ invariant: "queue_consistent" as const, ...query }))
]

/** The queue against executions and sagas, as `lineChecks` does it. */
const line = (sql: SqlClient.SqlClient) => {
  const live = sql`s.state in ('created', 'running', 'compensating')`
  return [
    {
      table: "executions",
      rows: sql`select execution_id::text as key, 'it is ' || status || ' and not in the queue' as detail from executions e
        where status in ('queued', 'scheduled', 'running')
          and not exists (select 1 from queue_entries q where q.execution_id = e.execution_id)
          and not exists (select 1 from sagas s where s.subject_kind = 'execution' and s.subject_id = e.execution_id and ${live} and not s.suspended and s.node_id is null)
        order by execution_id limit ${limit}`
    },
    {
      table: "queue_entries",
      rows: sql`select execution_id::text as key, 'its execution is ' || coalesce(e.status, 'not there') as detail
        from queue_entries q left join executions e using (execution_id)
        where e.status is null or e.status not in ('queued', 'scheduled', 'running') order by 1 limit ${limit}`
    },
    {
      table: "sagas",
      rows: sql`select s.saga_id::text as key, 'it is ' || case when s.suspended then 'suspended' else 'on node ' || s.node_id end
          || ', its execution is ' || coalesce(q.state, 'not in the queue') as detail
        from sagas s left join queue_entries q on q.execution_id = s.subject_id
        where s.subject_kind = 'execution' and ${live} and (s.suspended or s.node_id is not null)
          and (q.state is null or q.node_id is distinct from case when s.suspended then null else s.node_id end)
        order by 1 limit ${limit}`
    }
  ]
}

const ownerless = (sql: SqlClient.SqlClient): ReadonlyArray<StrayQuery> => {
  const noExecution = sql`'there is no execution ' || t.execution_id`
  const without = sql`not exists (select 1 from executions e where e.execution_id = t.execution_id)`
  return [
    {
      table: "sagas",
      rows: sql`select saga_id::text as key, 'there is no execution ' || t.subject_id as detail from sagas t
        where subject_kind = 'execution' and not exists (select 1 from executions e where e.execution_id = t.subject_id) order by 1 limit ${limit}`
    },
    {
      table: "execution_output",
      rows: sql`select distinct execution_id::text as key, ${noExecution} as detail from execution_output t
        where ${without} order by 1 limit ${limit}`
    },
    {
      table: "idempotency_keys",
      rows: sql`select owner_id || '/' || key as key, ${noExecution} as detail from idempotency_keys t
        where ${without} order by 1 limit ${limit}`
    },
    {
      table: "saga_log",
      rows: sql`select distinct saga_id::text as key, 'there is no saga ' || saga_id as detail from saga_log t
        where not exists (select 1 from sagas s where s.saga_id = t.saga_id) order by 1 limit ${limit}`
    },
    {
      table: "events",
      rows: sql`select stream as key, 'there is no such execution, and no event tells that it was deleted' as detail from stream_heads t
        where stream like 'execution/%'
          and not exists (select 1 from executions e where 'execution/' || e.execution_id = t.stream)
          and not exists (select 1 from events d where d.stream = t.stream and d.tag = 'ExecutionDeleted')
        order by 1 limit ${limit}`
    }
  ].map((query) => ({ invariant: "row_owned", ...query }))
}

/** Columns that repeat a member of the model. Times are compared as the text that they are in the model. */
const columns = (sql: SqlClient.SqlClient): ReadonlyArray<StrayQuery> => {
  const detail = sql`'a column says otherwise than the model: ' || differing as detail`
  const differing = (
    pairs: ReadonlyArray<readonly [name: string, column: Statement.Fragment, model: Statement.Fragment]>
  ) =>
    sql`concat_ws(', ', ${sql.csv(pairs.map(([name, column, model]) => sql`case when ${column} is distinct from ${model} then ${name}::text end`))})`
  return [
    {
      table: "executions",
      rows: sql`select key, ${detail} from (select execution_id::text as key, ${differing([
        ["execution_id", sql`execution_id::text`, sql`execution ->> 'executionId'`],
        ["owner_id", sql`owner_id::text`, sql`execution ->> 'ownerId'`],
        ["status", sql`status`, sql`execution ->> 'status'`],
        ["lang", sql`lang`, sql`execution ->> 'lang'`],
        ["created_at", sql`to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`, sql`execution ->> 'createdAt'`]
      ])} as differing from executions) t where differing <> '' order by 1 limit ${limit}`
    },
    {
      table: "sagas",
      rows: sql`select key, ${detail} from (select saga_id::text as key, ${differing([
        ["saga_id", sql`saga_id::text`, sql`saga ->> 'sagaId'`],
        ["subject_kind", sql`subject_kind`, sql`saga #>> '{subject,kind}'`],
        ["subject_id", sql`subject_id::text`, sql`saga #>> '{subject,id}'`],
        ["owner_id", sql`owner_id::text`, sql`saga ->> 'ownerId'`],
        ["state", sql`state`, sql`saga ->> 'state'`],
        ["dispatch", sql`dispatch::text`, sql`saga ->> 'dispatch'`],
        ["fence", sql`fence::text`, sql`saga ->> 'fence'`]
      ])} as differing from sagas) t where differing <> '' order by 1 limit ${limit}`
    },
    {
      table: "events",
      rows: sql`select key, ${detail} from (select stream || '/' || stream_version as key, ${differing([
        ["event_id", sql`event_id::text`, sql`event ->> 'eventId'`],
        ["tag", sql`tag`, sql`event -> 'event' ->> '_tag'`]
      ])} as differing from events) t where differing <> '' order by 1 limit ${limit}`
    }
  ].map((query) => ({ invariant: "row_columns", ...query }))
}

/** Streams against their heads, and the order of the whole log against the versions in each stream. */
const order = (sql: SqlClient.SqlClient): ReadonlyArray<StrayQuery> => [
  {
    invariant: "event_order",
    table: "events",
    rows: sql`with stored as (
        select stream, count(*) as events, min(stream_version) as first, max(stream_version) as last, max(txid::text::numeric) as txid
        from events group by stream)
      select stream as key, coalesce(events, 0) || ' events numbered ' || coalesce(first, 0) || ' to ' || coalesce(last, 0)
          || ' in transactions up to ' || coalesce(stored.txid, 0) || ', its head says ' || coalesce(version, 0)
          || ' in transaction ' || coalesce(head.txid::text, 'none') as detail
      from stored full join stream_heads head using (stream)
      where events is distinct from version or first is distinct from 1 or last is distinct from version
        or stored.txid is distinct from head.txid::text::numeric
      order by 1 limit ${limit}`
  },
  {
    invariant: "event_order",
    table: "events",
    rows: sql`select stream || '/' || stream_version as key, 'it comes before version ' || before || ' in the order of the log' as detail
      from (select stream, stream_version, txid, pos, lag(stream_version) over w as before, lag(txid) over w as before_txid,
          lag(pos) over w as before_pos
        from events window w as (partition by stream order by stream_version)) t
      where (before_txid, before_pos) >= (txid, pos) order by 1 limit ${limit}`
  }
]
