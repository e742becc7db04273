/** What the saga log may hold. Appended, never edited; stored for ever: never rename or reuse a tag or a field. */
import { type DateTime, Schema } from "effect"
import { SagaId } from "../ids/SagaId.ts"

/** Outcome that needs no undoing because nothing is known to have happened: what went wrong, for people and for policies. */
export const StepFailure = Schema.Struct({
  /** Tag of the error. */
  type: Schema.String,
  message: Schema.String,
  retryable: Schema.Boolean
})
export type StepFailure = typeof StepFailure.Type

/** Why a saga turns back. */
export const CompensationCause = Schema.Literals(["failed", "cancelled", "timeout"])
export type CompensationCause = typeof CompensationCause.Type

export const SagaEnd = Schema.Literals(["completed", "failed", "timeout", "cancelled"])
export type SagaEnd = typeof SagaEnd.Type

const attempt = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

export const SagaEntry = Schema.TaggedUnion({
  SagaStarted: {
    name: Schema.String,
    definitionVersion: Schema.Int,
    /** The saga whose outcomes of the steps before `fromStep` follow; both or neither. */
    restartOf: Schema.optionalKey(SagaId),
    fromStep: Schema.optionalKey(Schema.String)
  },
  /** Intent: written before a step that acts on the outside world, so that a crash cannot hide the act. */
  StepStarted: { step: Schema.String, attempt },
  StepCompleted: { step: Schema.String, output: Schema.Json },
  StepFailed: {
    step: Schema.String,
    attempt,
    failure: StepFailure,
    /** When the next attempt is due; absent when there is none. */
    retryAt: Schema.optionalKey(Schema.DateTimeUtcFromString)
  },
  CompensationStarted: { cause: CompensationCause, reason: Schema.String },
  UndoStarted: { step: Schema.String, attempt },
  StepUndone: { step: Schema.String },
  UndoFailed: {
    step: Schema.String,
    attempt,
    failure: StepFailure,
    retryAt: Schema.optionalKey(Schema.DateTimeUtcFromString)
  },
  SagaEnded: { end: SagaEnd, reason: Schema.optionalKey(Schema.String) }
})
export type SagaEntry = typeof SagaEntry.Type

export interface LoggedEntry {
  /** 1 for the first entry of its saga, without gaps. */
  readonly seq: number
  /** Fence of the executor that wrote it. */
  readonly fence: number
  /** The instance whose executor it was; absent in entries of instances that did not write it down, and before the first executor. */
  readonly executor?: string
  readonly at: DateTime.Utc
  readonly entry: SagaEntry
}
