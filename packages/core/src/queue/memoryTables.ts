/** The tables of the queue in memory. Stores of other areas share them, as their adapters share the tables of a database. */
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { sharedTable } from "../storage/MemoryDatabase.ts"
import type { QueueEntry } from "./QueueEntry.ts"
import type { Pause, PauseScope } from "./QueueLoad.ts"

export const queueRows = sharedTable<ReadonlyMap<ExecutionId, QueueEntry>>(new Map())
export const pauseRows = sharedTable<ReadonlyMap<PauseScope, Pause>>(new Map())
