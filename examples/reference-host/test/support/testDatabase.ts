/** Statements for the PostgreSQL server of the tests. */
import * as PostgresClient from "@fairlead/postgres/PostgresClient"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"

export const server = process.env["FAIRLEAD_TEST_DATABASE_URL"]

export const onServer = (statement: string) =>
  Effect.runPromise(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(
      Effect.provide(PostgresClient.layer({ url: Redacted.make(server ?? "") }))
    )
  )
