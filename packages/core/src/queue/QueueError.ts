/** What callers of the queue area can be told. */
import { Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { NodeId } from "../runtime/NodeId.ts"

/** It is unknown, has ended, or belongs to someone else: existence is not revealed. */
export class QueueEntryNotFound extends Schema.TaggedError<QueueEntryNotFound>()("QueueEntryNotFound", {
  executionId: ExecutionId
}) {}

/** The execution has a slot already, so its order means nothing any more. */
export class SlotAssigned extends Schema.TaggedError<SlotAssigned>()("SlotAssigned", {
  executionId: ExecutionId,
  nodeId: Schema.optionalKey(NodeId)
}) {}
