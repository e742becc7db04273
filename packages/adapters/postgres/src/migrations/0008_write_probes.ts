/** Where a host writes to find out whether it can. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export default Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`create table write_probes (name text primary key, at timestamptz not null) with (fillfactor = 50)`
)
