/** Facts about results. `ResultStored` is the last event of every execution that ended. */
import { Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"

export const StorageType = Schema.Literals(["database", "s3", "filesystem", "redis"])

export const ResultEvents = [
  Schema.TaggedStruct("ResultStored", {
    executionId: ExecutionId,
    storageType: Schema.NullOr(StorageType),
    storagePath: Schema.String,
    /** Stored bytes of stdout and stderr together. */
    sizeBytes: Schema.Int
  }),
  Schema.TaggedStruct("ResultFailed", {
    executionId: ExecutionId,
    error: Schema.String,
    storageType: Schema.NullOr(StorageType)
  })
] as const
