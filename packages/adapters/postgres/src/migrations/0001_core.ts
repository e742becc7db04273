/** Executions, their output, sagas and their logs, the event log, idempotency keys. Rows hold filter columns beside the whole model. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const executions = (sql: SqlClient.SqlClient) => [
  sql`create table executions (
    execution_id uuid primary key,
    owner_id uuid not null,
    status text not null,
    lang text not null,
    created_at timestamptz not null,
    execution jsonb not null
  ) with (fillfactor = 80)`,
  sql`create index executions_owner on executions (owner_id, execution_id)`,
  sql`create index executions_active on executions (owner_id) where status in ('queued', 'scheduled', 'running')`,

  sql`create table execution_output (
    execution_id uuid not null,
    attempt integer not null,
    stream text not null,
    byte_offset bigint not null,
    bytes bytea not null,
    primary key (execution_id, attempt, stream, byte_offset)
  )`,

  sql`create table idempotency_keys (
    owner_id uuid not null,
    key text not null,
    request_hash text not null,
    execution_id uuid not null,
    at timestamptz not null,
    claims integer not null default 1,
    primary key (owner_id, key)
  )`,
  sql`create index idempotency_keys_at on idempotency_keys (at)`,
  sql`create index idempotency_keys_execution on idempotency_keys (execution_id)`
]

const sagasAndEvents = (sql: SqlClient.SqlClient) => [
  sql`create table sagas (
    saga_id uuid primary key,
    execution_id uuid not null,
    owner_id uuid not null,
    state text not null,
    dispatch integer not null,
    fence integer not null,
    saga jsonb not null
  ) with (fillfactor = 70)`,
  sql`create index sagas_owner on sagas (owner_id, saga_id)`,
  sql`create index sagas_execution on sagas (execution_id)`,
  sql`create index sagas_live on sagas (saga_id) where state in ('created', 'running', 'compensating')`,

  sql`create table saga_log (
    saga_id uuid not null,
    seq integer not null,
    fence integer not null,
    at timestamptz not null,
    entry jsonb not null,
    primary key (saga_id, seq)
  )`,

  // A stream's last version, and the lock that makes its versions dense. `txid` never falls: see PostgresEventLog.
  sql`create table stream_heads (
    stream text primary key,
    version integer not null,
    txid xid8 not null
  ) with (fillfactor = 70)`,
  sql`create table events (
    pos bigint generated always as identity,
    txid xid8 not null,
    stream text not null,
    stream_version integer not null,
    event_id uuid not null,
    tag text not null,
    event jsonb not null,
    primary key (stream, stream_version)
  )`,
  sql`create unique index events_id on events (event_id)`,
  sql`create index events_order on events (txid, pos)`
]

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all([...executions(sql), ...sagasAndEvents(sql)], { discard: true })
)
