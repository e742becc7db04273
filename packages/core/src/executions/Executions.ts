/** Use cases on executions: submit, look up, cancel, repeat, delete. Running them is the saga's business. */
import { Context, type Effect, type Redacted } from "effect"
import type { Origin } from "../auth/Origin.ts"
import type { Principal } from "../auth/Principal.ts"
import type { LanguageUnsupported } from "../runtime/RuntimeError.ts"
import type { EventFilter } from "../events/EventLog.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { OutputName, RuntimeKind } from "../runtime/Job.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Execution } from "./Execution.ts"
import type {
  ExecutionActive,
  ExecutionEnded,
  ExecutionNotFound,
  IdempotencyKeyReused,
  LimitTooHigh,
  QueueFull
} from "./ExecutionError.ts"
import type { ExecutionId } from "./ExecutionId.ts"
import type { ExecutionLimits } from "./ExecutionLimits.ts"
import type { ExecutionFilter } from "./ExecutionStore.ts"

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

/** An execution with what its last attempt wrote, for answers in one piece. */
export interface ExecutionResult {
  readonly execution: Execution
  /** UTF-8, with U+FFFD for what is none; `null` until the execution has ended. The exact bytes are in the output. */
  readonly stdout: string | null
  readonly stderr: string | null
}

/** Some bytes of one output stream. */
export interface OutputRange {
  readonly bytes: Uint8Array
  /** Position of the first byte. */
  readonly offset: number
  /** Bytes stored so far; the final number once `ended`. */
  readonly size: number
  readonly ended: boolean
  readonly truncated: boolean
}

export class Executions extends Context.Service<
  Executions,
  {
    /**
     * Accepts a script: when this returns, the execution survives a crash of every host. With a key, the same request again
     * within 24 hours returns the first execution.
     */
    submit(
      caller: Principal,
      request: ExecutionRequest,
      origin: Origin
    ): Effect.Effect<Execution, LanguageUnsupported | LimitTooHigh | QueueFull | IdempotencyKeyReused | StorageError>
    get(caller: Principal, id: ExecutionId): Effect.Effect<Execution, ExecutionNotFound | StorageError>
    /** Waits for the end up to `waitMillis` (0 to 60,000), then answers with what there is. */
    result(
      caller: Principal,
      id: ExecutionId,
      waitMillis: number
    ): Effect.Effect<ExecutionResult, ExecutionNotFound | StorageError>
    /** Executions the caller may see, newest first, with their results. */
    list(
      caller: Principal,
      filter: Omit<ExecutionFilter, "ownerId"> & { readonly scope: "own" | "visible" }
    ): Effect.Effect<{ readonly results: ReadonlyArray<ExecutionResult>; readonly total: number }, StorageError>
    events(
      caller: Principal,
      id: ExecutionId,
      filter: EventFilter
    ): Effect.Effect<ReadonlyArray<StoredEvent>, ExecutionNotFound | StorageError>
    /** Bytes of one stream of the last attempt from `offset` on, at most `limit` (1 to 4 MiB). */
    output(
      caller: Principal,
      id: ExecutionId,
      range: { readonly output: OutputName; readonly offset: number; readonly limit: number }
    ): Effect.Effect<OutputRange, ExecutionNotFound | StorageError>
    /**
     * Asks the execution to end and returns at once; the status follows within 2 s. `requested` is false if it was cancelled
     * before. Fails with `ExecutionEnded` if it ended in another way.
     */
    cancel(
      caller: Principal,
      id: ExecutionId,
      reason: string | undefined,
      origin: Origin
    ): Effect.Effect<
      { readonly requested: boolean; readonly execution: Execution; readonly eventId: string },
      ExecutionNotFound | ExecutionEnded | StorageError
    >
    /** Runs the same script again as a new execution whose `retryOf` is `id`. Fails with `ExecutionActive` until `id` has ended. */
    retry(
      caller: Principal,
      id: ExecutionId,
      origin: Origin
    ): Effect.Effect<
      Execution,
      ExecutionNotFound | ExecutionActive | LanguageUnsupported | QueueFull | StorageError
    >
    /** Cancels the execution if it is active, waits up to 10 s for its end, and removes it with output and result. */
    remove(
      caller: Principal,
      id: ExecutionId,
      origin: Origin
    ): Effect.Effect<void, ExecutionNotFound | ExecutionActive | StorageError>
  }
>()("@fairlead/core/executions/Executions") {}

