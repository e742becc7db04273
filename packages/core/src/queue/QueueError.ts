/** What callers of the queue area can be told. */
import { Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { Place } from "../runtime/Place.ts"

/** It is unknown, has ended, or belongs to someone else: existence is not revealed. */
export class QueueEntryNotFound extends Schema.TaggedError<QueueEntryNotFound>()("QueueEntryNotFound", {
  executionId: ExecutionId
}) {}

/** The execution has a slot already, so its order means nothing any more. */
export class ExecutionAdmitted extends Schema.TaggedError<ExecutionAdmitted>()("ExecutionAdmitted", {
  executionId: ExecutionId,
  place: Schema.optionalKey(Place)
}) {}
