/** The one failure every store may raise. Driver text stays in `cause` and never crosses the HTTP boundary. */
import { Schema } from "effect"

/** What is the matter with a store as a whole, in a word that anybody may read. */
export const StorageCondition = Schema.Literals(["read-only", "full", "unreachable"])
export type StorageCondition = typeof StorageCondition.Type

export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  /** `Store.method`, for example `ExecutionStore.find`. */
  operation: Schema.String,
  /** True when the same call may succeed later: lost connection, serialization conflict, lock timeout. */
  retryable: Schema.Boolean,
  /** Absent when the failure is that of one call. */
  condition: Schema.optionalKey(StorageCondition),
  cause: Schema.Defect()
}) {}
