/** What every connection must be, asked of the server within two seconds. */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { toStorageError } from "../PostgresError.ts"

/**
 * Settings of every connection, whatever role and database are set to. Lock times of the queue are kept without a zone, so all sessions
 * must share one; the others decide how values are written and which rows a statement sees.
 */
export const sessionParameters = {
  TimeZone: "UTC",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  bytea_output: "hex",
  standard_conforming_strings: "on",
  default_transaction_isolation: "read committed"
} as const

/** Passes when `query` answers and the session speaks UTC. */
export const checkSession = (
  sql: SqlClient.SqlClient,
  operation: string,
  query: Effect.Effect<unknown, SqlError.SqlError>
): Effect.Effect<void, StorageError> =>
  query.pipe(
    Effect.andThen(sql<{ readonly zone: string }>`select current_setting('TimeZone') as zone`),
    Effect.mapError((error) => toStorageError(operation, error)),
    Effect.flatMap(([row]) =>
      row?.zone === "UTC" || row?.zone === "Etc/UTC"
        ? Effect.void
        : Effect.fail(
            new StorageError({ operation, retryable: false, cause: `the session's time zone is ${row?.zone}` })
          )
    ),
    Effect.timeoutOrElse({
      duration: "2 seconds",
      orElse: () => Effect.fail(new StorageError({ operation, retryable: true, cause: "no answer within 2 s" }))
    })
  )
