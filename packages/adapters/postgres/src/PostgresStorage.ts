/** Every store over PostgreSQL, and the parts from which `pglite/PgliteStorage` is put together as well. */

import type { Stores } from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { StorageError } from "@fairlead/core/storage/StorageError"
import type { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { Effect, Layer, Result, Schedule } from "effect"
import { Migrator, SqlClient, SqlError } from "effect/sql"
import { type DatabaseUnsuitable, unsuitable } from "./DatabaseUnsuitable.ts"
import { checkSession } from "./internal/session.ts"
import { checkSuitability } from "./internal/suitability.ts"
import { makeWriteProbe } from "./internal/writeProbe.ts"
import * as Migrated from "./migrations/Migrated.ts"
import { migrations } from "./migrations/Migrations.ts"
import * as PostgresAdmissionStore from "./PostgresAdmissionStore.ts"
import * as PostgresApiKeyStore from "./PostgresApiKeyStore.ts"
import * as PostgresBus from "./PostgresBus.ts"
import * as PostgresClient from "./PostgresClient.ts"
import { isRetryable, sqlErrorIn, storageError, toStorageError } from "./PostgresError.ts"
import * as PostgresEventLog from "./PostgresEventLog.ts"
import * as PostgresExecutionOutputStore from "./PostgresExecutionOutputStore.ts"
import * as PostgresExecutionStore from "./PostgresExecutionStore.ts"
import * as PostgresIdempotencyStore from "./PostgresIdempotencyStore.ts"
import * as PostgresInstanceStore from "./PostgresInstanceStore.ts"
import * as PostgresIntegrityReader from "./PostgresIntegrityReader.ts"
import * as PostgresJournal from "./PostgresJournal.ts"
import * as PostgresLoginAttemptStore from "./PostgresLoginAttemptStore.ts"
import * as PostgresQueueStore from "./PostgresQueueStore.ts"
import * as PostgresSagaEngine from "./PostgresSagaEngine.ts"
import * as PostgresSagaStore from "./PostgresSagaStore.ts"
import * as PostgresSessionStore from "./PostgresSessionStore.ts"
import * as PostgresUserStore from "./PostgresUserStore.ts"
import * as PostgresWakeups from "./PostgresWakeups.ts"

export interface PostgresOptions extends PostgresClient.PostgresClientOptions, PostgresSagaEngine.SagaEngineOptions {
  /** False when a deploy step runs `layerMigrations`, with a role that may create tables; true by default. */
  readonly migrate?: boolean | undefined
}

/** Creates and upgrades the tables. Needs DDL rights; safe to run from many processes at once, and again. */
export const layerMigrations: Layer.Layer<never, StorageError, SqlClient.SqlClient> = Layer.effectDiscard(
  Effect.andThen(
    Migrator.make({})({ table: "fairlead_migrations", loader: Migrator.fromRecord(migrations) }),
    PostgresSagaEngine.migrate
  ).pipe(
    // Others wait for the table of migrations while one process fills it, for longer than a lock may take.
    Effect.retry({
      while: (error) => causeOf(error)?.reason._tag === "LockTimeoutError",
      schedule: Schedule.spaced("1 second"),
      times: 60
    }),
    Effect.mapError((error) => {
      const cause = causeOf(error)
      const retryable = cause !== undefined && isRetryable(cause)
      return new StorageError({ operation: "PostgresStorage.layerMigrations", retryable, cause: error })
    })
  )
)

const causeOf = (error: Migrator.MigrationError | SqlError.SqlError) => {
  const cause = error._tag === "MigrationError" ? error.cause : error
  return SqlError.isSqlError(cause) ? cause : undefined
}

/** The stores that work the same on every client. Expects the migrations to have run. */
export const layerStores = (
  options: PostgresSagaEngine.SagaEngineOptions = {}
): Layer.Layer<Exclude<Stores, Storage | Wakeups>, StorageError, SqlClient.SqlClient | Wakeups> =>
  Layer.mergeAll(
    PostgresApiKeyStore.layer,
    PostgresBus.layer,
    PostgresIntegrityReader.layer,
    PostgresEventLog.layer,
    PostgresExecutionOutputStore.layer,
    PostgresExecutionStore.layer,
    PostgresInstanceStore.layer,
    PostgresIdempotencyStore.layer,
    PostgresJournal.layer,
    PostgresAdmissionStore.layer,
    PostgresLoginAttemptStore.layer,
    PostgresQueueStore.layer,
    PostgresSagaEngine.layer(options),
    PostgresSagaStore.layer,
    PostgresSessionStore.layer,
    PostgresUserStore.layer
  )

/** The unit of work on one client. */
export const layerUnitOfWork = <E, R>(durability: Effect.Effect<Storage["Service"]["durability"], E, R>) =>
  Layer.effect(
    Storage,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { note, probe } = makeWriteProbe(sql)
      return Storage.of({
        transaction: (work) =>
          Effect.tapError(transaction(sql, work), (error) =>
            error instanceof StorageError ? note(error) : Effect.void
          ),
        durability: yield* durability,
        check: checkSession(sql, "Storage.check", probe)
      })
    })
  )

/** Every store on one server. Many processes may share the database. One that is not fit for it is refused before anything is written. */
export const layer = (options: PostgresOptions): Layer.Layer<Stores, DatabaseUnsuitable> => {
  const migrates = options.migrate !== false
  const suitable = Layer.effectDiscard(Effect.andThen(checkSuitability(migrates), Migrated.refuseNewer))
  return Layer.mergeAll(layerStores(options), layerUnitOfWork(serverDurability)).pipe(
    Layer.provideMerge(PostgresWakeups.layer),
    Layer.provide(Layer.provide(migrates ? layerMigrations : Layer.empty, suitable)),
    Layer.provide(PostgresClient.layer(options)),
    Layer.catchTag("StorageError", (error) => Layer.effectContext<Stores, DatabaseUnsuitable, never>(unsuitable(error)))
  )
}

/** Asks the server: with either setting off, what it acknowledged may be gone after a power cut. */
const serverDurability = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly safe: boolean }>`
    select current_setting('fsync') = 'on' and current_setting('synchronous_commit') <> 'off' as safe`
  return row?.safe === true ? ("disk" as const) : ("process" as const)
}).pipe(storageError("PostgresStorage.durability"))

const transaction = <A, E, R>(
  sql: SqlClient.SqlClient,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E | StorageError, R> =>
  // The work's own failure is wrapped, so that it is not taken for the executor's.
  sql.withTransaction(Effect.mapError(work, (error) => ({ _tag: "WorkFailed" as const, error }))).pipe(
    Effect.mapError((failure) =>
      failure._tag === "WorkFailed" ? failure.error : toStorageError("Storage.transaction", failure)
    ),
    // When the connection breaks, the executor's own rollback dies of it; the server has rolled back by itself.
    Effect.catchCauseFilter(
      (cause) => {
        const broken = sqlErrorIn(cause)
        return broken !== undefined && isRetryable(broken) ? Result.succeed(broken) : Result.fail(cause)
      },
      (broken) => Effect.fail(toStorageError("Storage.transaction", broken))
    )
  )
