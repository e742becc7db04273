/** The tables of sagas in memory. Stores of other areas share them, as their adapters share the tables of a database. */
import type { SagaId } from "../ids/SagaId.ts"
import { sharedTable } from "../storage/MemoryDatabase.ts"
import type { Saga } from "./Saga.ts"
import type { LoggedEntry } from "./SagaEntry.ts"
import type { QueueItem } from "./SagaItem.ts"

export const sagaRows = sharedTable<ReadonlyMap<SagaId, Saga>>(new Map())
export const sagaEntries = sharedTable<ReadonlyMap<SagaId, ReadonlyArray<LoggedEntry>>>(new Map())
export const engineItems = sharedTable<ReadonlyArray<QueueItem>>([])
/** Every item of the engine there ever was, by its name, so that a number is delivered once. */
export const dispatchedItems = sharedTable<ReadonlySet<string>>(new Set())
