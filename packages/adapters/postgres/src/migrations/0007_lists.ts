/** Lists of executions by what they are asked for, whatever the number of those that are stored. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      sql`create index executions_owner_status on executions (owner_id, status, execution_id)`,
      sql`create index executions_status on executions (status, execution_id)`,
      sql`create index executions_owner_lang on executions (owner_id, lang, execution_id)`,
      sql`create index executions_lang on executions (lang, execution_id)`,
      // Rows lie about in the order in which they were made.
      sql`create index executions_created on executions using brin (created_at) with (pages_per_range = 16, autosummarize = on)`
    ],
    { discard: true }
  )
)
