/** What a follower of an execution is told, and how far it has come. */
import { Schema } from "effect"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { OutputName } from "../runtime/Job.ts"
import type { ExecutionResult } from "./ExecutionResult.ts"
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

/** What stands behind a position: at most 500 events, and of output little more than 64 KiB. */
export interface FeedPage {
  readonly items: ReadonlyArray<FeedItem>
  /** Where the next page begins. */
  readonly position: FeedPosition
  /** `now`: there is more. `later`: there will be, after a change. `never`: these are the last, or the execution was deleted. */
  readonly more: "now" | "later" | "never"
}
