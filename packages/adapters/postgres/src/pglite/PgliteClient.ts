/**
 * PostgreSQL inside this process, behind the same wire client as a server. One connection: a second one asked for inside a
 * transaction would wait for ever. Survives a killed process, not a power cut: PGlite never syncs its files.
 */

import { PgClient } from "@effect/sql-pg"
import { PGlite } from "@electric-sql/pglite"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Context, Effect, Layer, Option } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { sessionParameters } from "../internal/session.ts"
import { toStorageError } from "../PostgresError.ts"
import { type DataDirectoryLocked, lockDirectory } from "./DirectoryLock.ts"
import { holdsDatabase, openFailure, whileUnfinished } from "./internal/dataDirectory.ts"
import { PgliteDuplex } from "./internal/pgliteDuplex.ts"
import { loadTemplate } from "./PgliteTemplate.ts"

export interface PgliteOptions {
  /**
   * Where the database is kept; absent: in memory, gone with the layer. Its lock lies beside it (`<directory>.lock`), so a
   * volume that several containers could mount has to hold the parent folder.
   */
  readonly directory?: string | undefined
}

/** Smallest memory that PGlite links with. */
const initialMemoryBytes = 128 * 1024 * 1024

/** A small footprint: shared buffers of 4 MiB, little memory per query, a log that is recycled early. */
const startParams = [
  ...PGlite.defaultStartParams,
  ...["-B", "512"],
  ...[
    "work_mem=2MB",
    "maintenance_work_mem=16MB",
    "wal_buffers=512kB",
    "max_wal_size=48MB",
    "min_wal_size=32MB"
  ].flatMap((setting) => ["-c", setting]),
  ...["-c", `timezone=${sessionParameters.TimeZone}`]
]

const createDatabase = (directory: string | undefined, template: Option.Option<Blob>) =>
  Effect.tryPromise({
    try: () =>
      PGlite.create({
        ...(directory === undefined ? {} : { dataDir: directory }),
        ...(Option.isNone(template) ? {} : { loadDataDir: template.value }),
        initialMemory: initialMemoryBytes,
        startParams
      }),
    catch: (cause) => openFailure(directory ?? "a database in memory", cause)
  })

/** Opens what is there, or makes a new database: from the template when one fits, else by `initdb`. */
const openDatabase = Effect.fnUntraced(function* (directory: string | undefined) {
  if (directory === undefined) return yield* createDatabase(undefined, yield* loadTemplate)
  if (yield* holdsDatabase(directory)) return yield* createDatabase(directory, Option.none())
  return yield* whileUnfinished(
    directory,
    Effect.flatMap(loadTemplate, (template) => createDatabase(directory, template))
  )
})

const make = Effect.fnUntraced(function* ({ directory }: PgliteOptions) {
  if (directory !== undefined) yield* lockDirectory(directory)
  const database = yield* Effect.acquireRelease(openDatabase(directory), (opened) =>
    Effect.ignore(Effect.tryPromise(() => opened.close()))
  )
  const client = yield* PgClient.make({
    username: "postgres",
    database: "postgres",
    ssl: false,
    applicationName: "fairlead",
    stream: () => new PgliteDuplex(database),
    maxConnections: 1,
    minConnections: 1,
    // Never let the only connection idle out.
    idleTimeout: "10000 days"
  }).pipe(Effect.mapError((error) => toStorageError("PgliteClient.connect", error)))
  return Object.assign(client, { driver: "pglite" })
})

export const layer = (
  options: PgliteOptions = {}
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, StorageError | DataDirectoryLocked> =>
  Layer.effectContext(
    Effect.map(make(options), (client) =>
      Context.make(PgClient.PgClient, client).pipe(Context.add(SqlClient.SqlClient, client))
    )
  ).pipe(Layer.provide(Reactivity.layer))
