/** Connections to a PostgreSQL server, set up as the stores need them. Use it alone to run migrations in a deploy step. */
import { PgClient } from "@effect/sql-pg"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Effect, type Layer, type Redacted } from "effect"
import type { SqlClient } from "effect/sql"
import { sessionParameters } from "./internal/session.ts"
import { toStorageError } from "./PostgresError.ts"

export interface PostgresClientOptions {
  /** A libpq URI: `postgres://user:password@instance:5432/database?sslmode=require`. */
  readonly url: Redacted.Redacted
  /** Largest pool of this process, 3 or more; 20 by default. One connection is held for listening. */
  readonly maxConnections?: number | undefined
  /** Off behind a pooler that does not keep named statements. LISTEN needs sessions anyway: no transaction pooling. */
  readonly prepare?: boolean | undefined
}

export const layer = ({
  maxConnections = 20,
  prepare = true,
  url
}: PostgresClientOptions): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, StorageError> =>
  PgClient.layerFrom(
    PgClient.make({
      url,
      maxConnections,
      prepare,
      minConnections: 1,
      applicationName: "fairlead",
      connectTimeout: "5 seconds",
      keepAlive: "30 seconds",
      startupParameters: {
        ...sessionParameters,
        // A forgotten transaction holds back every reader of the event log and all who wait for its rows.
        idle_in_transaction_session_timeout: "30s",
        lock_timeout: "10s"
      }
    }).pipe(Effect.mapError((error) => toStorageError("PostgresClient.layer", error)))
  )
