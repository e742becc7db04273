/** Looking for sagas and for executions by age, and which host wrote an entry. The times are computed, so older hosts fill them too. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      sql`alter table sagas add column created_at text collate "C" generated always as (saga ->> 'createdAt') stored`,
      sql`create index sagas_created on sagas (created_at)`,
      sql`create index sagas_turned_back on sagas (state, saga_id) where state in ('failed', 'timeout', 'cancelled')`,
      sql`alter table saga_log add column driver text`,

      sql`alter table executions
        add column finished_at text collate "C" generated always as (execution ->> 'finishedAt') stored`,
      sql`create index executions_finished on executions (finished_at) where finished_at is not null`
    ],
    { discard: true }
  )
)
