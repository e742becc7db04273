/** Facts about sagas. Stored for ever: add optional members, never rename or reuse a tag or a field. */
import { Schema } from "effect"
import { ExecutionId } from "../executions/ExecutionId.ts"
import { SagaId } from "../sagas/SagaId.ts"

const saga = { sagaId: SagaId, sagaName: Schema.String, executionId: ExecutionId }
const Steps = Schema.Array(Schema.String)

export const SagaEvents = [
  Schema.TaggedStruct("SagaStarted", { ...saga, initialEventId: Schema.String }),
  Schema.TaggedStruct("SagaCompleted", { ...saga, completedSteps: Steps }),
  Schema.TaggedStruct("SagaFailed", { ...saga, failedStep: Schema.String, error: Schema.String }),
  Schema.TaggedStruct("SagaCancelled", {
    ...saga,
    reason: Schema.String,
    completedSteps: Steps,
    compensatedSteps: Steps,
    cancelledAt: Schema.NullOr(Schema.DateTimeUtcFromString),
    cancelledBy: Schema.NullOr(Schema.String)
  }),
  Schema.TaggedStruct("SagaCompensating", { ...saga, compensatingStep: Schema.String }),
  Schema.TaggedStruct("SagaCompensated", { ...saga, compensatedSteps: Steps }),
  /** An administrator ended a saga that could not end by itself. `by` is a username. */
  Schema.TaggedStruct("SagaForceFailed", { ...saga, by: Schema.String, reason: Schema.String })
] as const
