/** What a saga consists of: named steps, each with what undoes it and how often it may be tried. */
import { type DateTime, type Effect, type Option, Schema, type Scope } from "effect"
import type { DomainEvent } from "../events/DomainEvent.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Saga } from "./Saga.ts"
import type { CompensationCause, StepFailure } from "./SagaEntry.ts"

/** A step did not succeed. Carries what the log keeps of it; never a secret. */
export class StepError extends Schema.TaggedError<StepError>()("StepError", {
  /** Tag of the underlying error. */
  failureType: Schema.String,
  detail: Schema.String,
  retryable: Schema.Boolean
}) {}

/** Another executor holds the saga now: the step must stop and write nothing. */
export class SagaFenced extends Schema.TaggedError<SagaFenced>()("SagaFenced", {}) {}

export const failureOf = (error: StepError): StepFailure => ({
  type: error.failureType,
  message: error.detail,
  retryable: error.retryable
})

/** Exponential back-off: attempt n waits `baseDelayMillis * 2^(n-1)`, at most `maxDelayMillis`. */
export interface StepRetry {
  /** 1 or more, the first attempt included. */
  readonly maxAttempts: number
  readonly baseDelayMillis: number
  readonly maxDelayMillis: number
}

export const retryDelayMillis = (retry: StepRetry, attempt: number): number =>
  Math.min(retry.maxDelayMillis, retry.baseDelayMillis * 2 ** Math.min(attempt - 1, 30))

export interface StepContext<Subject = unknown> {
  readonly saga: Saga
  /** As the steps before left it. */
  readonly subject: Subject
  readonly attempt: number
  /** An earlier executor began this attempt, and what came of it is not in the log. */
  readonly begun: boolean
  /** Why the saga turns back; absent while it goes forward. */
  readonly compensation?: { readonly cause: CompensationCause; readonly reason: string } | undefined
  /** What an earlier step returned; `undefined` if it did not complete. */
  output(step: string): Schema.Json | undefined
  /** Commits what the steps before left in memory. A step calls it before it may take long. */
  readonly flush: Effect.Effect<void, SagaFenced | StorageError>
  /** Makes sure that this executor still holds the saga, before it acts on the outside world. Free of cost within 1 s of a commit. */
  readonly assertFence: Effect.Effect<void, SagaFenced | StorageError>
}

/** What a step leaves: its output for later steps, and what becomes of the subject. Committed together. */
export interface StepOutcome<Subject = unknown> {
  readonly output?: Schema.Json
  readonly subject?: Subject
  readonly events?: ReadonlyArray<DomainEvent>
  /** More that is written in the same transaction. */
  readonly also?: Effect.Effect<void, StorageError>
}

/** Steps run at least once each: all but pure ones must find what an earlier run left. The scope is that of the executor. */
export type StepEffect<Subject = unknown> = Effect.Effect<
  StepOutcome<Subject>,
  StepError | SagaFenced | StorageError,
  Scope.Scope
>

export interface SagaStep<Subject = unknown> {
  readonly name: string
  /** True when it acts on the outside world: its intent is committed before it runs. */
  readonly external: boolean
  /** It ends at once, so that neither a request to cancel nor the deadline needs to interrupt it. */
  readonly instant?: boolean
  readonly retry: StepRetry
  /** One attempt; then it is interrupted and has failed. Absent: the step bounds itself. */
  readonly timeoutMillis?: number
  /** Whether another saga may take its output over instead of running it. Absent: it may not, as for whatever takes or starts something. */
  readonly reusable?: boolean
  /** What people may see of its output; absent: nothing. Must leave out whatever may be secret. */
  readonly publicOutput?: (output: Schema.Json) => Schema.Json
  run(context: StepContext<Subject>): StepEffect<Subject>
  /** Takes back what `run` may have done, also when it was interrupted half-way or never began. */
  undo?(context: StepContext<Subject>): StepEffect<Subject>
}

/** `Subject`: what its sagas are about, as it is stored. The engine only hands it on, and knows it by `Saga.subject`. */
export interface SagaDefinition<Subject = unknown> {
  readonly name: string
  /** Raised with every change that a saga in flight would notice. */
  readonly version: number
  readonly steps: ReadonlyArray<SagaStep<Subject>>
  /** None if it is gone. */
  load(saga: Saga): Effect.Effect<Option.Option<Subject>, StorageError>
  /** Writes a subject that a step has changed, in the transaction of the log. Absent: `Journal.append` writes it itself. */
  save?(subject: Subject): Effect.Effect<void, StorageError>
  /** When the saga turns back by itself, from what is stored; absent: never. */
  deadline(saga: Saga, subject: Subject): DateTime.Utc | undefined
  /** Frees what nobody needs after the end was committed. Its failure is logged; whatever stays behind is reaped later. */
  cleanup(context: StepContext<Subject>): Effect.Effect<void, StepError>
  /** What becomes of the subject when the saga has turned back, committed with the saga's end. */
  finalize(
    subject: Subject,
    end: CompensationCause,
    reason: string,
    saga: Saga,
    at: DateTime.Utc
  ): Effect.Effect<StepOutcome<Subject>, StorageError>
}

export const once: StepRetry = { maxAttempts: 1, baseDelayMillis: 0, maxDelayMillis: 0 }

/** The one that the saga began with; none if this instance does not know it. */
export const definitionOf = (
  definitions: ReadonlyArray<SagaDefinition>,
  { definitionVersion, sagaName }: Pick<Saga, "sagaName" | "definitionVersion">
): SagaDefinition | undefined =>
  definitions.find(({ name, version }) => name === sagaName && version === definitionVersion)
