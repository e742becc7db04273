/**
 * Port: the unit of work. A service decides, writes its rows and appends its events inside one `transaction`; what must
 * leave the process afterwards is read from the event log, never sent from inside.
 */
import { Context, Effect, Layer } from "effect"
import { ApiKeyStore } from "../auth/api-keys/ApiKeyStore.ts"
import { SessionStore } from "../auth/sessions/SessionStore.ts"
import { LoginAttemptStore } from "../auth/users/LoginAttemptStore.ts"
import { UserStore } from "../auth/users/UserStore.ts"
import { Bus } from "../bus/Bus.ts"
import { Wakeups } from "../bus/Wakeups.ts"
import { EventLog } from "../events/EventLog.ts"
import { ExecutionOutputStore } from "../executions/ExecutionOutputStore.ts"
import { ExecutionStore } from "../executions/ExecutionStore.ts"
import { IdempotencyStore } from "../executions/IdempotencyStore.ts"
import { HostStore } from "../hosts/HostStore.ts"
import { QueueStore } from "../queue/QueueStore.ts"
import { SagaEngine } from "../sagas/SagaEngine.ts"
import { SagaStore } from "../sagas/SagaStore.ts"
import { Dossiers } from "./Dossiers.ts"
import { Journal } from "./Journal.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"
import type { StorageError } from "./StorageError.ts"

/** What a storage adapter provides. A store added here fails the build of each adapter until it supplies one. */
export type Stores =
  | Storage
  | ApiKeyStore
  | Bus
  | Dossiers
  | EventLog
  | ExecutionOutputStore
  | ExecutionStore
  | HostStore
  | IdempotencyStore
  | Journal
  | LoginAttemptStore
  | QueueStore
  | SagaEngine
  | SagaStore
  | SessionStore
  | UserStore
  | Wakeups

export class Storage extends Context.Service<
  Storage,
  {
    /**
     * Commits everything `work` wrote to any store, or nothing: failure, defect and interruption roll back.
     * A nested call is a savepoint of the outer one. Keep `work` short and free of other I/O; never fork in it.
     */
    transaction<A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | StorageError, R>
    /** What a committed write survives: nothing, a killed process, or also a power cut. */
    readonly durability: "none" | "process" | "disk"
    /** Passes when the store answers and is set up as it must be. */
    readonly check: Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/storage/Storage") {
  /** Every store over one memory database. Contents are lost when the layer's scope closes. */
  static readonly layerMemory: Layer.Layer<Stores> = Layer.mergeAll(
    Layer.effect(
      Storage,
      Effect.map(MemoryDatabase, ({ transaction }) =>
        Storage.of({ transaction, durability: "none", check: Effect.void })
      )
    ),
    ApiKeyStore.layerMemory,
    Bus.layerMemory,
    Dossiers.layerMemory,
    ExecutionOutputStore.layerMemory,
    ExecutionStore.layerMemory,
    HostStore.layerMemory,
    IdempotencyStore.layerMemory,
    Journal.layerMemory,
    LoginAttemptStore.layerMemory,
    QueueStore.layerMemory,
    SagaEngine.layerMemory,
    SagaStore.layerMemory,
    SessionStore.layerMemory,
    UserStore.layerMemory
  ).pipe(
    Layer.provideMerge(EventLog.layerMemory),
    Layer.provideMerge(Wakeups.layerMemory),
    Layer.provide(MemoryDatabase.layer)
  )
}
