/** What a client asks for when it submits a script. */
import type { Redacted } from "effect"
import type { RuntimeKind } from "../runtime/Job.ts"
import type { ExecutionLimits } from "./ExecutionLimits.ts"

export interface ExecutionRequest {
  readonly script: string
  readonly lang: string
  readonly langVersion: string
  readonly runtime?: RuntimeKind | undefined
  readonly args?: ReadonlyArray<string> | undefined
  readonly env?: Redacted.Redacted<Readonly<Record<string, string>>> | undefined
  /** Limits that are absent take the host's default. */
  readonly limits?: Partial<ExecutionLimits> | undefined
  /** Default 5. */
  readonly priority?: number | undefined
  readonly idempotencyKey?: string | undefined
}
