import { assert, describe, it } from "@effect/vitest"
import { noOutput } from "@fairlead/core/executions/Execution"
import { migrations } from "@fairlead/postgres/migrations/Migrations"
import { insertExecution } from "@fairlead/postgres/PostgresExecutionStore"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import { completedExecution, instant, queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { Effect } from "effect"
import { Migrator, SqlClient } from "effect/sql"

const outcome = { ...noOutput, stdoutBytes: 3, stderrBytes: 4 }
const earlierAttempts = [{ attempt: 1, status: "failed" as const, finishedAt: instant, outcome }]

describe("the migration 0010_stored_output", () => {
  it.live("counts what executions of before have kept", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const migrateBelow = (number: string) => {
        const wanted = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < number))
        return Migrator.make({})({ table: "fairlead_migrations", loader: Migrator.fromRecord(wanted) })
      }
      yield* migrateBelow("0010")
      const before = [
        queuedExecution(1),
        completedExecution(2, { outcome }),
        completedExecution(3, { outcome, earlierAttempts })
      ]
      for (const execution of before) yield* yield* insertExecution(sql, execution)
      yield* migrateBelow("0011")
      assert.deepStrictEqual(
        yield* sql`select stored_output_bytes::int as bytes from executions order by execution_id`,
        [{ bytes: 0 }, { bytes: 7 }, { bytes: 14 }]
      )
    }).pipe(Effect.provide(PgliteClient.layer({})))
  )
})
