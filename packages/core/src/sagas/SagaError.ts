/** What callers of the sagas area can be told. */
import { Schema } from "effect"
import { SagaId } from "../ids/SagaId.ts"
import { SagaState } from "./Saga.ts"

/** Also for a saga that belongs to someone else: existence is not revealed. */
export class SagaNotFound extends Schema.TaggedError<SagaNotFound>()("SagaNotFound", { sagaId: SagaId }) {}

/**
 * `active`: it has not ended. `completed`: nothing failed that could be tried again. `not_carried`: what the steps before leave
 * cannot all be taken over, or there is no such step.
 */
export class SagaNotRestartable extends Schema.TaggedError<SagaNotRestartable>()("SagaNotRestartable", {
  sagaId: SagaId,
  reason: Schema.Literals(["active", "completed", "not_reusable"]),
  /** Absent when the request names none. */
  fromStep: Schema.optionalKey(Schema.String),
  /** Steps from which it can be restarted; empty while it is active, or when this instance does not know its definition. */
  possibleFrom: Schema.Array(Schema.String)
}) {}

/** A saga ends once. */
export class SagaAlreadyEnded extends Schema.TaggedError<SagaAlreadyEnded>()("SagaAlreadyEnded", {
  sagaId: SagaId,
  sagaState: SagaState
}) {}

/** Only a saga that is created or running can be cancelled. */
export class SagaNotCancellable extends Schema.TaggedError<SagaNotCancellable>()("SagaNotCancellable", {
  sagaId: SagaId,
  sagaState: SagaState
}) {}
