/** What a client asks for when it submits a script. */
import type { DateTime, Redacted } from "effect"
import type { RuntimeKind } from "../runtime/Job.ts"
import type { ConcurrencyPolicy } from "./ConcurrencyPolicy.ts"
import type { ExecutionLimits } from "./ExecutionLimits.ts"
import type { RetryPolicy } from "./RetryPolicy.ts"

export interface ExecutionRequest {
  readonly script: string
  /** A language that a runtime offers, or another usual name of it: `py`, `sh`, `ts`. */
  readonly lang: string
  /** Absent: see `versionWhenAbsent`. */
  readonly langVersion?: string | undefined
  readonly runtime?: RuntimeKind | undefined
  readonly args?: ReadonlyArray<string> | undefined
  readonly env?: Redacted.Redacted<Readonly<Record<string, string>>> | undefined
  /** Limits that are absent take the instance's default. */
  readonly limits?: Partial<ExecutionLimits> | undefined
  /** See `JobSpec`; default false. */
  readonly waitForBackground?: boolean | undefined
  /** Default 5. */
  readonly priority?: number | undefined
  /** What its owner calls it; 200 characters at most. */
  readonly name?: string | undefined
  /** At most 32. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly idempotencyKey?: string | undefined
  /** Not before this time, at most a year ahead; a time that has passed means at once. */
  readonly runAt?: DateTime.Utc | undefined
  /** Longest wait in the queue, from `runAt` or the acceptance on; absent: the instance's default. */
  readonly ttlMillis?: number | undefined
  readonly retryPolicy?: RetryPolicy | undefined
  /** Of the caller's executions with one key, one runs at a time. */
  readonly concurrencyKey?: string | undefined
  /** Default `queue`; means nothing without a key. */
  readonly concurrencyPolicy?: ConcurrencyPolicy | undefined
}
