/** Whether a database can be used, asked once at the start: half of it working would be worse than none. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { DatabaseUnsuitable } from "../DatabaseUnsuitable.ts"
import { storageError } from "../PostgresError.ts"

const Facts = Schema.Struct({
  version: Schema.Int,
  encoding: Schema.String,
  user: Schema.String,
  database: Schema.String,
  /** Where tables are created; absent when no schema of the search_path exists. */
  schema: Schema.NullOr(Schema.String),
  searchPath: Schema.String,
  /** Schemas that hold tables of Fairlead. */
  homes: Schema.Array(Schema.String),
  readOnly: Schema.Boolean,
  standby: Schema.Boolean,
  mayCreate: Schema.NullOr(Schema.Boolean),
  /** Tables of Fairlead in `schema` that the user may not read and write. */
  closed: Schema.Array(Schema.String)
})
export type DatabaseFacts = typeof Facts.Type

const decode = Schema.decodeUnknownEffect(Schema.Array(Facts))

/** Oldest that the tests run on, as the server numbers it. */
const oldestVersion = 150_000

type Fault = readonly [problem: string, remedy: string]

/** Pure. What is wrong first is told first; `undefined`: nothing. */
export const faultOf = (facts: DatabaseFacts, migrates: boolean): Fault | undefined => {
  const { closed, database, encoding, homes, mayCreate, readOnly, schema, searchPath, standby, user, version } = facts
  if (version < oldestVersion)
    return [`its server is version ${Math.floor(version / 10_000)}`, "Use PostgreSQL 15 or later."]
  if (encoding !== "UTF8")
    return [
      `its encoding is ${encoding}, which cannot hold every text`,
      `Create another one: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.`
    ]
  if (standby) return ["its server is a standby, which takes no writes", "Connect to the primary."]
  if (readOnly)
    return [
      "it is read-only by default (default_transaction_read_only)",
      `Make sure that it may be written, then: ALTER DATABASE "${database}" RESET default_transaction_read_only; the same may be set for the role or the server.`
    ]
  if (schema === null)
    return [
      `no schema of its search_path (${searchPath}) exists`,
      `Create the schema, or: ALTER ROLE "${user}" IN DATABASE "${database}" SET search_path = public.`
    ]
  const [home] = homes
  if (home !== undefined && !homes.includes(schema))
    return [
      `the tables of Fairlead are in the schema ${home}, and this user would make others in ${schema}`,
      `ALTER ROLE "${user}" IN DATABASE "${database}" SET search_path = ${home}.`
    ]
  if (migrates && homes.length === 0 && mayCreate !== true)
    return [
      `the user ${user} may not create tables in the schema ${schema}`,
      `GRANT USAGE, CREATE ON SCHEMA ${schema} TO "${user}".`
    ]
  if (closed.length > 0)
    return [
      `the user ${user} may not read and write the tables ${closed.slice(0, 3).join(", ")}${closed.length > 3 ? ", …" : ""}`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO "${user}".`
    ]
  return undefined
}

/** Some of the tables, one of each migration that makes any, and that of the engine. */
const tables = ["executions", "events", "sagas", "users", "queue_entries", "effect_queue"]

const readFacts = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [facts] = yield* decode(
    yield* sql`select current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding,
      current_user::text as "user", current_database()::text as database, current_schema()::text as schema,
      current_setting('search_path') as "searchPath",
      coalesce((select json_agg(n.nspname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relname = 'fairlead_migrations' and c.relkind = 'r'), '[]') as homes,
      current_setting('transaction_read_only') = 'on' as "readOnly", pg_is_in_recovery() as standby,
      has_schema_privilege(current_schema(), 'create') as "mayCreate",
      coalesce((select json_agg(c.relname order by c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relname in ${sql.in(tables)} and c.relkind = 'r' and n.nspname = current_schema()
          and to_regclass('fairlead_migrations') is not null
          and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
            and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))), '[]') as closed`
  )
  return facts ?? (yield* Effect.die("a query without rows"))
}).pipe(storageError("PostgresStorage.suitability"))

/**
 * A pooler in transaction mode gives each transaction another session, and so loses locks, settings and LISTEN: while one
 * connection is held, another one must not meet the same server process.
 */
const isPooledByTransaction = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const process = Effect.map(sql<{ readonly pid: number }>`select pg_backend_pid() as pid`, ([row]) => row?.pid)
  const connection = yield* sql.reserve
  const mine = Effect.map(connection.execute("select pg_backend_pid() as pid", [], undefined), ([row]) =>
    Schema.is(Schema.Struct({ pid: Schema.Int }))(row) ? row.pid : undefined
  )
  const before = yield* mine
  const [other, meanwhile] = yield* sql.withTransaction(Effect.all([process, mine]))
  return before === other || before !== meanwhile
}).pipe(Effect.scoped, storageError("PostgresStorage.suitability"))

/** Fails with `DatabaseUnsuitable` for the first fault that is found. Writes nothing. */
export const checkSuitability = Effect.fnUntraced(function* (migrates: boolean) {
  const fault = faultOf(yield* readFacts, migrates)
  if (fault !== undefined)
    return yield* new DatabaseUnsuitable({ problem: fault[0], remedy: fault[1], retryable: false })
  if (yield* isPooledByTransaction)
    return yield* new DatabaseUnsuitable({
      problem: "a pooler in transaction mode stands before it",
      remedy: "Connect to PostgreSQL itself, or to a pooler in session mode: wake-ups and locks need sessions.",
      retryable: false
    })
})
