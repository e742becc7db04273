/** Facts about sagas. Stored for ever: add optional members, never rename or reuse a tag or a field. */
import { Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { SagaId } from "../ids/SagaId.ts"
import { executionIdOf, Subject } from "../ids/Subject.ts"

const saga = {
  sagaId: SagaId,
  sagaName: Schema.String,
  /** Of a saga that is about an execution. */
  executionId: Schema.optionalKey(ExecutionId),
  /** Of a saga that is about anything else. */
  subject: Schema.optionalKey(Subject)
}

/** The members that all facts about a saga have. */
export const aboutSaga = ({
  sagaId,
  sagaName,
  subject
}: {
  readonly sagaId: SagaId
  readonly sagaName: string
  readonly subject: Subject
}) => {
  const executionId = executionIdOf(subject)
  return { sagaId, sagaName, ...(executionId === undefined ? { subject } : { executionId }) }
}
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
