/** A stored row that breaks an invariant: which invariant, which row, and what is wrong with it. */
import { Schema } from "effect"

export const Invariant = Schema.Literals([
  /** Every row decodes. */
  "row_readable",
  /** Filter columns say the same as the model beside them. */
  "row_columns",
  /** Nothing is stored about an execution or a saga that is not there. */
  "row_owned",
  /** Status, attempt, outcome and times of an execution agree with each other. */
  "execution_state",
  /** An execution has ended exactly when its last saga has, and in the way that the saga ended. */
  "saga_end",
  /** The row of a saga shows what its log says. */
  "saga_projection",
  /** A saga that has not ended and is not suspended has a queue item in its node, so somebody is going to execute it. */
  "saga_queued",
  /** An execution is in the queue exactly while it is active, and assigned exactly while its saga has a node. */
  "queue_consistent",
  /** Entries of a log are numbered from 1 without gaps. */
  "log_sequence",
  /** Only the latest executor wrote: fences never fall, and none is above the saga's. */
  "log_fence",
  /** Every entry of a log may follow those before it. */
  "log_moves",
  /** What was done is undone once, in reverse order, before the saga ends. */
  "compensation",
  /** Versions of a stream run from 1 without gaps, and the order of the whole log agrees with them. */
  "event_order",
  /** The events of an execution begin once, end once, and tell what its row says. */
  "event_story",
  /** An attempt starts at most once. */
  "started_once",
  /** Output has no gap and no overlap. */
  "output_contiguous",
  /** There is as much output as the outcome says, and no more than the limit allows. */
  "output_size",
  /** An execution ends within the time that was asked for. */
  "active_too_long",
  /** Scripts ran as often as is stored, by a ledger that they wrote themselves. */
  "ledger"
])
export type Invariant = typeof Invariant.Type

export const Violation = Schema.Struct({
  invariant: Invariant,
  /** Table and key, for example `saga_log 0199…/3`. */
  row: Schema.String,
  /** What is wrong, in one line. */
  detail: Schema.String
})
export type Violation = typeof Violation.Type

/** A violation unless `holds`. */
export const unless = (holds: boolean, invariant: Invariant, row: string, detail: string): ReadonlyArray<Violation> =>
  holds ? [] : [{ invariant, row, detail }]
