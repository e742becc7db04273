/** The one failure every store may raise. Driver text stays in `cause` and never crosses the HTTP boundary. */
import { Schema } from "effect"

export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  /** `Store.method`, for example `ExecutionStore.find`. */
  operation: Schema.String,
  /** True when the same call may succeed later: lost connection, serialization conflict, lock timeout. */
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {}
