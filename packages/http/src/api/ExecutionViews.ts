/**
 * Executions as they stand on the wire. What the seed documents call a result is always complete: what there is not yet, or
 * never will be, is `null`, so that clients need not tell absent from empty.
 */
import { Execution, ExecutionOutcome } from "@fairlead/core/executions/Execution"
import { ExecutionErrorType } from "@fairlead/core/executions/ExecutionErrorType"
import { ExecutionId } from "@fairlead/core/executions/ExecutionId"
import { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import { ResourceUsage } from "@fairlead/core/executions/ResourceUsage"
import { Schema, Struct } from "effect"
import { pageFields } from "./Paging.ts"
import { wire } from "./Wire.ts"

const executionExample = "019a0000-0000-7000-9000-000000000001"
const Time = Schema.DateTimeUtcFromString

/** Limits in the words and units of requests. */
const LimitsView = Schema.Struct({
  /** Seconds of wall time of one attempt. */
  timeoutSeconds: Schema.Finite,
  /** MiB of resident memory of the whole process tree. */
  memoryMb: Schema.Finite,
  /** Thousandths of a CPU core. */
  cpuMillicores: Schema.Int,
  processes: Schema.Int,
  /** Kept bytes of stdout and of stderr, each. */
  outputBytes: Schema.Int
})

/** Everything but the sealed environment, which nobody gets back. */
const ExecutionViewStruct = Schema.Struct({
  ...Struct.omit(Execution.fields, ["sealedEnv", "limits", "outcome"]),
  limits: LimitsView,
  ...ExecutionOutcome.fields,
  stdoutBytes: Schema.optionalKey(Schema.Int),
  stderrBytes: Schema.optionalKey(Schema.Int),
  truncated: Schema.optionalKey(Schema.Boolean)
})
export type ExecutionView = typeof ExecutionViewStruct.Type
export const ExecutionView = wire("Execution", ExecutionViewStruct)

const ResultViewStruct = Schema.Struct({
  executionId: ExecutionId,
  status: ExecutionStatus,
  /** UTF-8; bytes that are none appear as U+FFFD. `null` until the execution has ended. */
  stdout: Schema.NullOr(Schema.String),
  stderr: Schema.NullOr(Schema.String),
  /** The same as `stdout`. */
  output: Schema.NullOr(Schema.String),
  /** The same as `stderr`. */
  errors: Schema.NullOr(Schema.String),
  lang: Schema.String,
  /** As requested. */
  langVersion: Schema.String,
  /** What really runs. */
  resolvedVersion: Schema.String,
  resourceUsage: Schema.NullOr(ResourceUsage),
  /** `null` also when the script has none: it never ran, or was ended by a signal. */
  exitCode: Schema.NullOr(Schema.Int),
  errorType: Schema.NullOr(ExecutionErrorType),
  errorCause: Schema.NullOr(Schema.String),
  errorMessage: Schema.NullOr(Schema.String),
  /** Whether more was written than was kept. */
  truncated: Schema.Boolean,
  /** Stored bytes; `null` until the execution has ended. */
  stdoutBytes: Schema.NullOr(Schema.Int),
  stderrBytes: Schema.NullOr(Schema.Int),
  /** Number of the current attempt; 0 before the first start. */
  attempt: Schema.Int,
  createdAt: Time,
  updatedAt: Time,
  startedAt: Schema.NullOr(Time),
  finishedAt: Schema.NullOr(Time)
})
export type ResultView = typeof ResultViewStruct.Type
export { ResultViewStruct }

export const resultExample = {
  execution_id: executionExample,
  status: "completed",
  stdout: "1\n",
  stderr: "",
  output: "1\n",
  errors: "",
  lang: "python",
  lang_version: "3.11",
  resolved_version: "3.11.7",
  resource_usage: { execution_time_wall_seconds: 0.02, cpu_time_jiffies: 2, clk_tck_hertz: 100, peak_memory_kb: 9216 },
  exit_code: 0,
  error_type: null,
  error_cause: null,
  error_message: null,
  truncated: false,
  stdout_bytes: 2,
  stderr_bytes: 0,
  attempt: 1,
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:01.000Z",
  started_at: "2026-01-01T00:00:00.500Z",
  finished_at: "2026-01-01T00:00:01.000Z"
} as const
export const ResultView = wire("ExecutionResult", ResultViewStruct)

export const ResultList = wire(
  "ExecutionList",
  Schema.Struct({ executions: Schema.Array(ResultViewStruct), ...pageFields })
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

/** Kubernetes quantities, as in the seed documents: `1000m`, `256Mi`. */
export const ResourceLimits = wire(
  "ResourceLimits",
  Schema.Struct({
    cpuLimit: Schema.String,
    memoryLimit: Schema.String,
    cpuRequest: Schema.String,
    memoryRequest: Schema.String,
    /** Seconds. */
    executionTimeout: Schema.Finite,
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
