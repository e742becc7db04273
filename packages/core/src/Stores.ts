/** All ports that a storage adapter provides, and all of them in memory. */
import { Layer } from "effect"
import { ApiKeyStore } from "./auth/api-keys/ApiKeyStore.ts"
import { SessionStore } from "./auth/sessions/SessionStore.ts"
import { LoginAttemptStore } from "./auth/users/LoginAttemptStore.ts"
import { UserStore } from "./auth/users/UserStore.ts"
import { Bus } from "./bus/Bus.ts"
import { EventLog } from "./events/EventLog.ts"
import { AdmissionStore } from "./executions/AdmissionStore.ts"
import { ExecutionOutputStore } from "./executions/ExecutionOutputStore.ts"
import { ExecutionStore } from "./executions/ExecutionStore.ts"
import { IdempotencyStore } from "./executions/IdempotencyStore.ts"
import * as executionsInMemory from "./executions/internal/executionsInMemory.ts"
import { InstanceStore } from "./instances/InstanceStore.ts"
import { QueueStore } from "./queue/QueueStore.ts"
import { Journal } from "./sagas/Journal.ts"
import { SagaEngine } from "./sagas/SagaEngine.ts"
import { SagaStore } from "./sagas/SagaStore.ts"
import { MemoryDatabase } from "./storage/MemoryDatabase.ts"
import { Storage } from "./storage/Storage.ts"
import { IntegrityReader } from "./verification/IntegrityReader.ts"
import { Wakeups } from "./wakeups/Wakeups.ts"

/** What a storage adapter provides. A store added here fails the build of each adapter until it supplies one. */
export type Stores =
  | Storage
  | ApiKeyStore
  | Bus
  | IntegrityReader
  | EventLog
  | ExecutionOutputStore
  | ExecutionStore
  | InstanceStore
  | IdempotencyStore
  | Journal
  | AdmissionStore
  | LoginAttemptStore
  | QueueStore
  | SagaEngine
  | SagaStore
  | SessionStore
  | UserStore
  | Wakeups

/** Every store over one memory database. Contents are lost when the layer's scope closes. */
export const layerMemory: Layer.Layer<Stores> = Layer.mergeAll(
  Storage.layerMemory,
  ApiKeyStore.layerMemory,
  Bus.layerMemory,
  IntegrityReader.layerMemory,
  ExecutionOutputStore.layerMemory,
  ExecutionStore.layerMemory,
  InstanceStore.layerMemory,
  IdempotencyStore.layerMemory,
  Journal.layerMemory,
  AdmissionStore.layerMemory,
  LoginAttemptStore.layerMemory,
  QueueStore.layerMemory,
  SagaEngine.layerMemory,
  SagaStore.layerMemory,
  SessionStore.layerMemory,
  UserStore.layerMemory
).pipe(
  Layer.provideMerge(EventLog.layerMemory),
  Layer.provideMerge(Wakeups.layerMemory),
  Layer.provide(executionsInMemory.layer),
  Layer.provide(MemoryDatabase.layer)
)
