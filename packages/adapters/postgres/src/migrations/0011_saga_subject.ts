/** Sagas are about a subject of some kind. Those that there are are about executions. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      sql`alter table sagas rename column execution_id to subject_id`,
      sql`alter table sagas add column subject_kind text not null default 'execution'`,
      sql`alter table sagas alter column subject_kind drop default`,
      sql`alter index sagas_execution rename to sagas_subject`,
      sql`update sagas set saga = (saga - 'executionId')
        || jsonb_build_object('subject', jsonb_build_object('kind', subject_kind, 'id', subject_id))`
    ],
    { discard: true }
  )
)
