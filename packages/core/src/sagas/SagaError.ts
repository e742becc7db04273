/** What callers of the sagas area can be told. */
import { Schema } from "effect"
import { SagaState } from "./Saga.ts"
import { SagaId } from "./SagaId.ts"

/** Also for a saga that belongs to someone else: existence is not revealed. */
export class SagaNotFound extends Schema.TaggedError<SagaNotFound>()("SagaNotFound", { sagaId: SagaId }) {}

/** Only a saga that is created or running can be cancelled. */
export class SagaNotCancellable extends Schema.TaggedError<SagaNotCancellable>()("SagaNotCancellable", {
  sagaId: SagaId,
  sagaState: SagaState
}) {}
