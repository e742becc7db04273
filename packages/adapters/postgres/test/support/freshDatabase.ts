/** A database of its own for one suite, on the server named by FAIRLEAD_TEST_DATABASE_URL; dropped when the scope closes. */
import { PgClient } from "@effect/sql-pg"
import type { Stores } from "@fairlead/core/Stores"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { Config, Effect, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"

export const serverUrl = Config.Redacted("FAIRLEAD_TEST_DATABASE_URL")

/** The URL of a new and empty database, made with `options` of the statement that makes it. */
export const databaseWith = Effect.fnUntraced(function* (options: string) {
  const server = yield* serverUrl
  const name = `fairlead_test_${SecureRandom.uuidV4Unsafe().replaceAll("-", "")}`
  const run = (statement: string) =>
    Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe(statement).unprepared).pipe(
      Effect.provide(PgClient.layer({ url: server, maxConnections: 1 }))
    )
  yield* Effect.acquireRelease(run(`create database ${name} ${options}`), () =>
    Effect.orDie(run(`drop database ${name} with (force)`))
  )
  const url = new URL(Redacted.value(server))
  url.pathname = `/${name}`
  return Redacted.make(url.toString())
})

export const freshDatabase = databaseWith("")

/** Every store over a database of its own. */
export const layer = (options: Partial<PostgresStorage.PostgresOptions> = {}): Layer.Layer<Stores, unknown> =>
  Layer.unwrap(Effect.map(freshDatabase, (url) => PostgresStorage.layer({ ...options, url })))
