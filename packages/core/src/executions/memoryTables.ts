/** The tables of executions in memory. Stores of other areas share them, as their adapters share the tables of a database. */
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { sharedTable } from "../storage/MemoryDatabase.ts"
import type { Execution } from "./Execution.ts"
import type { IdempotencyClaim } from "./IdempotencyClaim.ts"

export const executionRows = sharedTable<ReadonlyMap<ExecutionId, Execution>>(new Map())
/** By `<execution id>/<attempt>/<stream>`. */
export const outputRows = sharedTable<ReadonlyMap<string, Uint8Array>>(new Map())
/** By owner and key. */
export const idempotencyRows = sharedTable<ReadonlyMap<string, IdempotencyClaim>>(new Map())
