/** Finds the live sessions of a user without reading those that ended. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`create index sessions_live on sessions (user_id, session_id) where not revoked`
)
