/** Every store over PGlite, in this process. One process a directory: a second one fails at once with `DataDirectoryLocked`. */
import type { Stores } from "@fairlead/core/Stores"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Effect, Layer } from "effect"
import type { DatabaseUnsuitable } from "../DatabaseUnsuitable.ts"
import * as Migrated from "../migrations/Migrated.ts"
import * as PostgresConsumerGroupStore from "../PostgresConsumerGroupStore.ts"
import * as PostgresSagaEngine from "../PostgresSagaEngine.ts"
import { layerMigrations, layerStores, layerUnitOfWork } from "../PostgresStorage.ts"
import * as PostgresWakeups from "../PostgresWakeups.ts"
import type { DataDirectoryLocked } from "./DirectoryLock.ts"
import * as PgliteClient from "./PgliteClient.ts"
import * as PgliteMaintenance from "./PgliteMaintenance.ts"

export interface PgliteStorageOptions extends PgliteClient.PgliteOptions, PostgresSagaEngine.SagaEngineOptions {}

/** Creates and upgrades the tables at start. What it acknowledges survives a killed process, not a power cut. */
export const layer = (
  options: PgliteStorageOptions = {}
): Layer.Layer<Stores, StorageError | DataDirectoryLocked | DatabaseUnsuitable> =>
  Layer.mergeAll(
    layerStores(options),
    layerUnitOfWork(Effect.succeed(options.directory === undefined ? ("none" as const) : ("process" as const))),
    PgliteMaintenance.layer
  ).pipe(
    Layer.provideMerge(PostgresWakeups.layerLocal),
    // Nobody else can be driving: what the last process held is free now, not when its locks and leases expire.
    Layer.provide(
      Layer.effectDiscard(Effect.andThen(PostgresSagaEngine.releaseAll, PostgresConsumerGroupStore.releaseAll))
    ),
    Layer.provide(layerMigrations.pipe(Layer.provide(Layer.effectDiscard(Migrated.refuseNewer)))),
    Layer.provide(PgliteClient.layer(options))
  )
