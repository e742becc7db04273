/** Executions found by what they are called. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.all(
    [
      sql`create index executions_named on executions (owner_id, execution_id) where execution ? 'name'`,
      sql`create index executions_labelled on executions using gin ((execution -> 'labels')) where execution ? 'labels'`
    ],
    { discard: true }
  )
)
