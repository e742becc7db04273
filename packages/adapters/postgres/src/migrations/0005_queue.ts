/** The line of executions, what pauses it, and the hosts that share this database. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      sql`alter table sagas add column lane text, add column parked boolean not null default false`,
      sql`create index sagas_lane on sagas (lane, saga_id)
        where state in ('created', 'running', 'compensating') and not parked`,

      sql`create table queue_entries (
        execution_id uuid primary key,
        saga_id uuid not null,
        owner_id uuid not null,
        runtime text not null,
        demand text not null,
        priority integer not null,
        state text not null,
        rank_at timestamptz not null,
        queued_at timestamptz not null,
        run_at timestamptz,
        expires_at timestamptz not null,
        concurrency_key text,
        place text
      ) with (fillfactor = 70)`,
      sql`create index queue_entries_waiting on queue_entries (runtime, owner_id, rank_at, execution_id)
        where state = 'waiting'`,
      sql`create index queue_entries_held on queue_entries (state, run_at) where state in ('delayed', 'blocked')`,
      sql`create index queue_entries_admitted on queue_entries (place) where state = 'admitted'`,
      sql`create index queue_entries_key on queue_entries (owner_id, concurrency_key)
        where concurrency_key is not null`,
      sql`create index queue_entries_expiry on queue_entries (expires_at) where state <> 'admitted'`,
      sql`create table queue_pauses (
        scope text primary key,
        at timestamptz not null,
        paused_by text not null,
        reason text not null
      )`,

      sql`create table hosts (
        host_id uuid primary key,
        seen_at timestamptz not null,
        host jsonb not null
      ) with (fillfactor = 50)`
    ],
    { discard: true }
  )
)
