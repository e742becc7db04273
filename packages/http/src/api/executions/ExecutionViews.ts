/**
 * Executions as they stand on the wire. What existing clients call a result is always complete: what there is not yet, or
 * never will be, is `null`, so that clients need not tell absent from empty.
 */

import { ExecutionErrorType } from "@fairlead/core/events/ExecutionErrorType"
import { Execution, ExecutionOutcome, Labels } from "@fairlead/core/executions/Execution"
import { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { Priority } from "@fairlead/core/queue/Priority"
import { QueueState } from "@fairlead/core/queue/QueueEntry"
import { OutputName } from "@fairlead/core/runtime/Job"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import { ResourceUsage } from "@fairlead/core/runtime/ResourceUsage"
import { Schema, Struct } from "effect"
import { pageFields } from "../Paging.ts"
import { wire } from "../Wire.ts"
import { RetryView } from "./QueueingRequests.ts"

const Time = Schema.DateTimeUtcFromString
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
/** `null` until the execution has begun; while it runs, what it has written so far. */
const Written = Schema.NullOr(Schema.String.annotate({ examples: ["hello\n"] }))
const WrittenBytes = Schema.NullOr(Count.annotate({ examples: [6] }))

/** Limits in the words and units of requests. */
const LimitsView = Schema.Struct({
  /** Seconds of wall time of one attempt. */
  timeoutSeconds: Schema.Finite.annotate({ examples: [300] }),
  /** MiB of resident memory of the whole process tree. */
  memoryMb: Schema.Finite.annotate({ examples: [256] }),
  /** Thousandths of a CPU core. */
  cpuMillicores: Count.annotate({ examples: [1000] }),
  processes: Count.annotate({ examples: [64] }),
  /** MiB of disk in all. */
  diskMb: Schema.Finite.annotate({ examples: [1024] }),
  /** MiB of one file. */
  fileSizeMb: Schema.Finite.annotate({ examples: [256] }),
  /** Of one process. */
  openFiles: Count.annotate({ examples: [256] }),
  /** Kept bytes of stdout and of stderr, each. */
  outputBytes: Count.annotate({ examples: [1_048_576] })
})

/** How something ended, absent until it has. */
const endFields = {
  ...ExecutionOutcome.fields,
  exitCode: Schema.optionalKey(Schema.Int.annotate({ examples: [0] })),
  stdoutBytes: Schema.optionalKey(Count),
  stderrBytes: Schema.optionalKey(Count),
  truncated: Schema.optionalKey(Schema.Boolean)
}

const AttemptStruct = Schema.Struct({
  /** 1 for the first. */
  attempt: Count.annotate({ examples: [1] }),
  status: ExecutionStatus,
  nodeId: Schema.optionalKey(NodeId),
  /** Absent when it has not begun, or ended before its script did. */
  startedAt: Schema.optionalKey(Time),
  finishedAt: Schema.optionalKey(Time),
  ...endFields
})
export type AttemptView = typeof AttemptStruct.Type

export const AttemptList = wire(
  "AttemptList",
  Schema.Struct({ executionId: ExecutionId, attempts: Schema.Array(AttemptStruct) })
)

/** Where an execution stands that waits. */
const StandingStruct = Schema.Struct({
  /** `delayed`: not before `run_at`. `blocked`: another one of its concurrency key comes first. `waiting`: for a free slot. */
  state: QueueState,
  /** The one that counts now; an operator may have changed it since the submission. */
  priority: Priority,
  /** 1 is next. An estimate, because users take turns. */
  position: Count.annotate({ examples: [1] }),
  /** Executions that start before this one. */
  ahead: Count.annotate({ examples: [0] }),
  /** `null` while nobody can know: no script has ended yet, new starts are paused, or the key is taken. */
  estimatedWaitSeconds: Schema.NullOr(Count.annotate({ examples: [3] }))
})

export { StandingStruct }
export type StandingView = typeof StandingStruct.Type

/** Everything but the sealed environment, which nobody gets back. */
const ExecutionViewStruct = Schema.Struct({
  ...Struct.omit(Execution.fields, ["sealedEnv", "limits", "outcome", "retryPolicy"]),
  limits: LimitsView,
  ...endFields,
  attempt: Count.annotate({ examples: [1] }),
  /** Oldest first; each has output of its own. */
  earlierAttempts: Schema.optionalKey(Schema.Array(AttemptStruct)),
  retry: Schema.optionalKey(RetryView),
  /** Present while it waits for its next start. */
  queue: Schema.optionalKey(StandingStruct)
})
export type ExecutionView = typeof ExecutionViewStruct.Type
export const ExecutionView = wire("Execution", ExecutionViewStruct)

const ResultViewStruct = Schema.Struct({
  executionId: ExecutionId,
  name: Schema.NullOr(Schema.String.annotate({ examples: ["nightly import"] })),
  labels: Labels,
  status: ExecutionStatus,
  /** UTF-8; bytes that are none appear as U+FFFD. */
  stdout: Written,
  stderr: Written,
  /** The same as `stdout`. */
  output: Written,
  /** The same as `stderr`. */
  errors: Written,
  lang: Schema.String,
  /** As requested. */
  langVersion: Schema.String,
  /** What really runs. */
  resolvedVersion: Schema.String,
  resourceUsage: Schema.NullOr(ResourceUsage),
  /** `null` also when the script has none: it never ran, or was ended by a signal. */
  exitCode: Schema.NullOr(Schema.Int.annotate({ examples: [0] })),
  errorType: Schema.NullOr(ExecutionErrorType),
  errorCause: Schema.NullOr(Schema.String),
  errorMessage: Schema.NullOr(Schema.String),
  /** Whether more was written than was kept. */
  truncated: Schema.Boolean,
  /** Stored bytes. */
  stdoutBytes: WrittenBytes,
  stderrBytes: WrittenBytes,
  /** Bytes that the script wrote in all; those that were not kept stand between the first and the last ones. */
  stdoutWrittenBytes: WrittenBytes,
  stderrWrittenBytes: WrittenBytes,
  /** Number of the current attempt; 0 before the first start. */
  attempt: Count.annotate({ examples: [1] }),
  createdAt: Time,
  updatedAt: Time,
  startedAt: Schema.NullOr(Time),
  finishedAt: Schema.NullOr(Time)
})
export type ResultView = typeof ResultViewStruct.Type
export { ResultViewStruct }

export const ResultView = wire("ExecutionResult", ResultViewStruct)

export const ResultList = wire(
  "ExecutionList",
  Schema.Struct({ executions: Schema.Array(ResultViewStruct), ...pageFields })
)

export const Transcript = wire(
  "Transcript",
  Schema.Struct({
    executionId: ExecutionId,
    attempt: Count.annotate({ examples: [1] }),
    entries: Schema.Array(
      Schema.Struct({
        /** When it was written, to the millisecond; `null` where the order is not known. */
        at: Schema.NullOr(Time),
        stream: OutputName,
        /** UTF-8, as it was written at one go: part of a line, or several. */
        text: Schema.String.annotate({ examples: ["hello\n"] }),
        /** Bytes of this stream that were written just before and not kept. */
        omittedBytes: Schema.optionalKey(Count)
      })
    ),
    /** Where to go on, also when there is nothing new yet. */
    nextCursor: Schema.String.annotate({ examples: ["22.0.6.0"] }),
    /** Everything has been read, and the attempt has ended. */
    ended: Schema.Boolean
  })
)

/** Answer to a request that made an execution. */
export const Accepted = wire(
  "ExecutionResponse",
  Schema.Struct({
    executionId: ExecutionId,
    status: ExecutionStatus,
    /** Present when the call waited and the execution ended meanwhile. */
    result: Schema.optionalKey(ResultViewStruct)
  })
)

export const Cancellation = wire(
  "CancelResponse",
  Schema.Struct({
    executionId: ExecutionId,
    status: Schema.Literals(["cancellation_requested", "already_cancelled"]),
    message: Schema.String,
    /** `-1` when the execution was cancelled before; `null` when the event is still to come. */
    eventId: Schema.NullOr(Schema.String)
  })
)

export const Deletion = wire("DeleteResponse", Schema.Struct({ message: Schema.String, executionId: ExecutionId }))

const Cpu = Schema.String.annotate({ examples: ["1000m"] })
const Memory = Schema.String.annotate({ examples: ["256Mi"] })
/** Kubernetes quantities, as existing clients know them: `1000m`, `256Mi`. */
export const ResourceLimits = wire(
  "ResourceLimits",
  Schema.Struct({
    cpuLimit: Cpu,
    memoryLimit: Memory,
    cpuRequest: Cpu,
    memoryRequest: Memory,
    /** Seconds. */
    executionTimeout: Schema.Finite.annotate({ examples: [300] }),
    supportedRuntimes: Schema.Record(
      Schema.String,
      Schema.Struct({ versions: Schema.Array(Schema.String), fileExt: Schema.String })
    )
  })
)

export const ExampleScripts = wire(
  "ExampleScripts",
  Schema.Struct({ scripts: Schema.Record(Schema.String, Schema.String) })
)
