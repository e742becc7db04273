/** Tables that stores of several areas share in memory, as their adapters share them in a database. */
import type { Execution } from "../executions/Execution.ts"
import type { ExecutionId } from "../executions/ExecutionId.ts"
import type { Saga } from "../sagas/Saga.ts"
import type { LoggedEntry } from "../sagas/SagaEntry.ts"
import type { SagaId } from "../sagas/SagaId.ts"
import { sharedTable } from "./MemoryDatabase.ts"

export const executionRows = sharedTable<ReadonlyMap<ExecutionId, Execution>>(new Map())
export const sagaRows = sharedTable<ReadonlyMap<SagaId, Saga>>(new Map())
export const sagaEntries = sharedTable<ReadonlyMap<SagaId, ReadonlyArray<LoggedEntry>>>(new Map())
