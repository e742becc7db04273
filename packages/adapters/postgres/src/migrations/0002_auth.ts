/** Users, sessions, API keys, failed logins. Rows hold filter columns beside the whole model. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      sql`create table users (
        user_id uuid primary key,
        username_key text not null,
        email_key text not null,
        is_active boolean not null,
        version integer not null,
        password_hash text not null,
        account jsonb not null
      ) with (fillfactor = 80)`,
      sql`create unique index users_username on users (username_key)`,
      sql`create unique index users_email on users (email_key)`,

      sql`create table sessions (
        session_id uuid primary key,
        user_id uuid not null,
        ip_address text,
        expires_at timestamptz not null,
        revoked boolean not null,
        version integer not null,
        session jsonb not null
      ) with (fillfactor = 80)`,
      sql`create index sessions_user on sessions (user_id, ip_address)`,
      sql`create index sessions_expiry on sessions (expires_at)`,

      sql`create table api_keys (
        api_key_id uuid primary key,
        owner_id uuid not null,
        key_hash text not null,
        last_used_at timestamptz,
        api_key jsonb not null
      ) with (fillfactor = 80)`,
      sql`create index api_keys_owner on api_keys (owner_id, api_key_id)`,

      // Milliseconds since 1970, as the hosts count them.
      sql`create table login_attempts (
        key text primary key,
        count integer not null,
        ends_at bigint not null
      ) with (fillfactor = 70)`,
      sql`create index login_attempts_end on login_attempts (ends_at)`
    ],
    { discard: true }
  )
)
