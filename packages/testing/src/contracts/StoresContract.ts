/** Every contract of storage in one call, for adapters that provide all of `Stores`. Each suite builds its own stores. */
import type { Stores } from "@fairlead/core/Stores"
import type { Layer } from "effect"
import * as AdmissionStoreContract from "./AdmissionStoreContract.ts"
import * as BusContract from "./BusContract.ts"
import * as EventLogContract from "./EventLogContract.ts"
import * as ExecutionStoreContract from "./ExecutionStoreContract.ts"
import * as IdempotencyContract from "./IdempotencyContract.ts"
import * as InstanceStoreContract from "./InstanceStoreContract.ts"
import * as IntegrityReaderContract from "./IntegrityReaderContract.ts"
import * as JournalContract from "./JournalContract.ts"
import * as OutputStoreContract from "./OutputStoreContract.ts"
import * as QueueStoreContract from "./QueueStoreContract.ts"
import * as SagaEngineContract from "./SagaEngineContract.ts"
import * as SagaStoreContract from "./SagaStoreContract.ts"
import * as StorageContract from "./StorageContract.ts"
import * as WakeupsContract from "./WakeupsContract.ts"

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void => {
  StorageContract.suite(name, stores)
  EventLogContract.suite(name, stores)
  ExecutionStoreContract.suite(name, stores)
  SagaStoreContract.suite(name, stores)
  JournalContract.suite(name, stores)
  AdmissionStoreContract.suite(name, stores)
  OutputStoreContract.suite(name, stores)
  IdempotencyContract.suite(name, stores)
  InstanceStoreContract.suite(name, stores)
  QueueStoreContract.suite(name, stores)
  WakeupsContract.suite(name, stores)
  BusContract.suite(name, stores)
  SagaEngineContract.suite(name, stores)
  IntegrityReaderContract.suite(name, stores)
}
