/**
 * How much output is kept of a user's executions, added up from an index. The bytes are computed, so older hosts fill them too. An
 * execution has no entry in that index until an attempt of it has ended with output.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      sql`create function attempts_output_bytes(attempts jsonb) returns bigint language sql immutable parallel safe
        return (select coalesce(sum((ended #>> '{outcome,stdoutBytes}')::bigint + (ended #>> '{outcome,stderrBytes}')::bigint), 0)
          from jsonb_array_elements(attempts) as ended)::bigint`,
      sql`alter table executions add column stored_output_bytes bigint not null generated always as (
        case when execution ? 'startedAt' and execution ? 'outcome'
          then (execution #>> '{outcome,stdoutBytes}')::bigint + (execution #>> '{outcome,stderrBytes}')::bigint else 0 end
        + case when execution ? 'earlierAttempts' then attempts_output_bytes(execution -> 'earlierAttempts') else 0 end
        ) stored`,
      sql`create index executions_stored_output on executions (owner_id) include (stored_output_bytes)
        where stored_output_bytes > 0`
    ],
    { discard: true }
  )
)
