/** What a newcomer does about the executions of its concurrency key that have not ended. Pure; decided once, at its acceptance. */
import { type DateTime, Schema } from "effect"
import type { QueueEntry } from "../queue/QueueEntry.ts"
import { type Execution, finish, noOutput } from "./Execution.ts"

/**
 * `queue`: it waits for its turn. `skip`: it ends at once as `cancelled`, with the cause `skipped`. `replace`: the others are asked
 * to end, and it waits until the one that runs has.
 */
export const ConcurrencyPolicy = Schema.Literals(["queue", "skip", "replace"])
export type ConcurrencyPolicy = typeof ConcurrencyPolicy.Type

export type Turn =
  | { readonly _tag: "Enter"; readonly replaced: ReadonlyArray<QueueEntry> }
  | { readonly _tag: "Skip"; readonly holder: QueueEntry }

/** `others`: the entries of the same owner and key, in the order of rank. */
export const turnOf = (policy: ConcurrencyPolicy, others: ReadonlyArray<QueueEntry>): Turn => {
  const holder = others.find(({ state }) => state === "assigned" || state === "waiting") ?? others[0]
  if (policy === "skip" && holder !== undefined) return { _tag: "Skip", holder }
  return { _tag: "Enter", replaced: policy === "replace" ? others : [] }
}

/** The newcomer, ended because `holder` has its key. */
export const skipped = (execution: Execution, { executionId }: QueueEntry, at: DateTime.Utc) =>
  finish(execution, at, "cancelled", {
    ...noOutput,
    errorCause: "skipped",
    errorMessage: `The execution ${executionId} of the same concurrency key has not ended.`
  })

/** Why the others are asked to end. */
export const replacedBy = ({ executionId }: Execution): string =>
  `Replaced by the execution ${executionId} of the same concurrency key.`
