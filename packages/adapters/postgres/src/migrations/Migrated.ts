/** Whether a database has the tables of this version, asked without changing it. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { DatabaseUnsuitable } from "../DatabaseUnsuitable.ts"
import { storageError } from "../PostgresError.ts"
import { migrations } from "./Migrations.ts"

/** The tables are those of another version, or of nobody. */
export class TablesDiffer extends Schema.TaggedError<TablesDiffer>()("TablesDiffer", {
  /** Number of the newest migration that this version knows. */
  expected: Schema.Int,
  /** The newest that the database has seen; 0 when it has no tables of Fairlead. */
  found: Schema.Int
}) {}

const expected = Object.keys(migrations).length

/** Fails with `TablesDiffer` unless exactly the migrations of this version have run. */
export const check = Effect.gen(function* () {
  const found = yield* newest
  if (found !== expected) return yield* new TablesDiffer({ expected, found })
})

/** Fails with `DatabaseUnsuitable` when a later version has changed the tables: this one would read and write them wrongly. */
export const refuseNewer = Effect.gen(function* () {
  const found = yield* newest
  if (found > expected)
    return yield* new DatabaseUnsuitable({
      problem: `a newer version of Fairlead has upgraded it: its tables are at ${found}, and this version knows ${expected}`,
      remedy: "Start that version again, or restore the backup from before the upgrade.",
      retryable: false
    })
})

const newest = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [table] = yield* sql<{
    readonly there: boolean
  }>`select to_regclass('fairlead_migrations') is not null as there`
  if (table?.there !== true) return 0
  const [row] = yield* sql<{ readonly newest: number }>`
    select coalesce(max(migration_id), 0)::int as newest from fairlead_migrations`
  return row?.newest ?? 0
}).pipe(storageError("Migrated.check"))
