/** Tables that stores of several areas share in memory, as their adapters share them in a database. */
import type { Execution } from "../executions/Execution.ts"
import type { ExecutionId } from "../executions/ExecutionId.ts"
import type { QueueEntry } from "../queue/QueueEntry.ts"
import type { Pause, PauseScope } from "../queue/QueueLoad.ts"
import type { Saga } from "../sagas/Saga.ts"
import type { LoggedEntry } from "../sagas/SagaEntry.ts"
import type { SagaId } from "../sagas/SagaId.ts"
import type { QueueItem } from "../sagas/SagaItem.ts"
import { sharedTable } from "./MemoryDatabase.ts"

export const executionRows = sharedTable<ReadonlyMap<ExecutionId, Execution>>(new Map())
export const sagaRows = sharedTable<ReadonlyMap<SagaId, Saga>>(new Map())
export const sagaEntries = sharedTable<ReadonlyMap<SagaId, ReadonlyArray<LoggedEntry>>>(new Map())
export const queueRows = sharedTable<ReadonlyMap<ExecutionId, QueueEntry>>(new Map())
export const pauseRows = sharedTable<ReadonlyMap<PauseScope, Pause>>(new Map())
export const engineItems = sharedTable<ReadonlyArray<QueueItem>>([])
/** Every item of the engine there ever was, by its name, so that a number is delivered once. */
export const dispatchedItems = sharedTable<ReadonlySet<string>>(new Set())
