/** Facts about executions. Stored for ever: add optional members, never rename or reuse a tag or a field. */
import { Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { ResourceUsage } from "../runtime/ResourceUsage.ts"
import { ExecutionErrorType } from "./ExecutionErrorType.ts"

/** At most the first 16 KiB of what the script wrote; the whole is in the execution's output. */
const Preview = Schema.optionalKey(Schema.String)
const resourceUsage = Schema.optionalKey(ResourceUsage)

export const ExecutionEvents = [
  Schema.TaggedStruct("ExecutionRequested", {
    executionId: ExecutionId,
    script: Schema.String,
    language: Schema.String,
    languageVersion: Schema.String,
    runtimeImage: Schema.String,
    runtimeCommand: Schema.Array(Schema.String),
    runtimeFilename: Schema.String,
    timeoutSeconds: Schema.Finite,
    cpuLimit: Schema.String,
    memoryLimit: Schema.String,
    cpuRequest: Schema.String,
    memoryRequest: Schema.String,
    priority: Schema.Int
  }),
  Schema.TaggedStruct("ExecutionAccepted", {
    executionId: ExecutionId,
    /** Executions accepted and not yet started, this one included; 1 means next. */
    queuePosition: Schema.Int,
    estimatedWaitSeconds: Schema.NullOr(Schema.Finite),
    priority: Schema.Int
  }),
  Schema.TaggedStruct("ExecutionQueued", {
    executionId: ExecutionId,
    positionInQueue: Schema.NullOr(Schema.Int),
    estimatedStartTime: Schema.NullOr(Schema.DateTimeUtcFromString)
  }),
  /** The runtime holds the job; its process may still be starting. `podName` is the job's name in any runtime. */
  Schema.TaggedStruct("ExecutionStarted", {
    executionId: ExecutionId,
    podName: Schema.String,
    nodeName: Schema.NullOr(Schema.String),
    containerId: Schema.NullOr(Schema.String),
    /** 1 for the first start of the execution. */
    attempt: Schema.optionalKey(Schema.Int)
  }),
  Schema.TaggedStruct("ExecutionRunning", {
    executionId: ExecutionId,
    podName: Schema.String,
    progressPercentage: Schema.NullOr(Schema.Int)
  }),
  Schema.TaggedStruct("ExecutionCompleted", {
    executionId: ExecutionId,
    exitCode: Schema.Int,
    resourceUsage,
    stdout: Preview,
    stderr: Preview
  }),
  Schema.TaggedStruct("ExecutionFailed", {
    executionId: ExecutionId,
    /** −1 when the script has none: it never ran, or was ended by a signal. */
    exitCode: Schema.Int,
    errorType: Schema.NullOr(ExecutionErrorType),
    errorMessage: Schema.String,
    resourceUsage,
    stdout: Preview,
    stderr: Preview
  }),
  Schema.TaggedStruct("ExecutionTimeout", {
    executionId: ExecutionId,
    timeoutSeconds: Schema.Finite,
    resourceUsage,
    stdout: Preview,
    stderr: Preview
  }),
  Schema.TaggedStruct("ExecutionCancelled", {
    executionId: ExecutionId,
    reason: Schema.String,
    cancelledBy: Schema.NullOr(Schema.String),
    /** True when the script ignored the request to end and was killed. */
    forceTerminated: Schema.Boolean
  }),
  /** An attempt ended, and by the retry policy another one follows. */
  Schema.TaggedStruct("ExecutionAttemptFailed", {
    executionId: ExecutionId,
    attempt: Schema.Int,
    exitCode: Schema.NullOr(Schema.Int),
    errorType: Schema.NullOr(ExecutionErrorType),
    /** The precise reason: `lost`, `exit:1`, `memory`, … */
    errorCause: Schema.NullOr(Schema.String),
    errorMessage: Schema.String,
    /** The next attempt does not start before. */
    nextAttemptAt: Schema.DateTimeUtcFromString,
    resourceUsage
  }),
  /** An operator gave it another position in the queue. */
  Schema.TaggedStruct("ExecutionReprioritised", {
    executionId: ExecutionId,
    priority: Schema.Int,
    previousPriority: Schema.Int,
    changedBy: Schema.String
  }),
  /** An administrator removed the execution with its script, output and result. */
  Schema.TaggedStruct("ExecutionDeleted", { executionId: ExecutionId, deletedBy: Schema.String })
] as const
