/** What an operator decides about the queue. An instance replaces it once, at start-up; instances of one database use the same. */
import { Context } from "effect"
import type { QueueLimits } from "./QueueOrder.ts"

export const QueuePolicy = Context.Reference<{
  readonly limits: QueueLimits
  /** Milliseconds of waiting that one step of priority is worth. */
  readonly ageingMillis: number
  /** Longest wait in the queue of an execution that names none. */
  readonly ttlMillis: number
}>("@fairlead/core/queue/QueuePolicy", {
  defaultValue: () => ({ limits: {}, ageingMillis: 60_000, ttlMillis: 24 * 3_600_000 })
})
