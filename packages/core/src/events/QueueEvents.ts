/** Facts about the queue as a whole. Stored for ever: add optional members, never rename or reuse a tag or a field. */
import { Schema } from "effect"

/** `all`, or a kind of runtime. */
const scope = Schema.String

export const QueueEvents = [
  /** No instance starts anything of that scope any more. */
  Schema.TaggedStruct("QueuePaused", { scope, reason: Schema.String, pausedBy: Schema.String }),
  Schema.TaggedStruct("QueueResumed", { scope, reason: Schema.String, resumedBy: Schema.String })
] as const
