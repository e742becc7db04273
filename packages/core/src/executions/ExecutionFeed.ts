/** One execution as it happens: its events and its output in one resumable stream. */
import { Context, type Effect, Schema, type Stream } from "effect"
import type { Principal } from "../auth/Principal.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { OutputName } from "../runtime/Job.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { ExecutionNotFound } from "./ExecutionError.ts"
import type { ExecutionId } from "./ExecutionId.ts"
import type { ExecutionResult } from "./Executions.ts"
import type { ExecutionStatus } from "./ExecutionStatus.ts"

/** How far a reader has come: events by version, output by bytes of one attempt. Its text form is the SSE `id`. */
export const FeedPosition = Schema.Struct({
  version: Schema.Int,
  attempt: Schema.Int,
  stdout: Schema.Int,
  stderr: Schema.Int
})
export type FeedPosition = typeof FeedPosition.Type

export type FeedItem =
  /** First item of every stream: where the execution stands now. */
  | { readonly _tag: "Status"; readonly status: ExecutionStatus; readonly position: FeedPosition }
  | { readonly _tag: "Event"; readonly event: StoredEvent; readonly position: FeedPosition }
  | {
      readonly _tag: "Output"
      readonly output: OutputName
      readonly attempt: number
      /** Position of the first byte. */
      readonly offset: number
      readonly bytes: Uint8Array
      readonly position: FeedPosition
    }
  /** Last item: the execution has ended and everything before has been sent. */
  | { readonly _tag: "End"; readonly result: ExecutionResult; readonly position: FeedPosition }

export class ExecutionFeed extends Context.Service<
  ExecutionFeed,
  {
    /**
     * Follows the execution from behind `from` (absent: from the beginning), on any host, until it has ended; then sends `End`
     * and completes. Nothing is missed and nothing sent twice across reconnects. A chunk of output is at most 64 KiB and comes
     * before the event that ends its attempt. Ownership is checked before the stream starts. Ends early, without `End`, when
     * the caller's credential is revoked.
     */
    follow(
      caller: Principal,
      id: ExecutionId,
      from: FeedPosition | undefined
    ): Effect.Effect<Stream.Stream<FeedItem, StorageError>, ExecutionNotFound | StorageError>
  }
>()("@fairlead/core/executions/ExecutionFeed") {}
