/** A durable process as its row shows it: enough to list, to find its executor and to fence it. The log has the rest. */
import { type DateTime, Schema } from "effect"
import { SagaId } from "../ids/SagaId.ts"
import { Subject } from "../ids/Subject.ts"
import { UserId } from "../ids/UserId.ts"
import { changed } from "../storage/changed.ts"

export const SagaState = Schema.Literals([
  "created",
  "running",
  "compensating",
  "completed",
  "failed",
  "timeout",
  "cancelled"
])
export type SagaState = typeof SagaState.Type

const Steps = Schema.Array(Schema.String)

export const CancelRequest = Schema.Struct({
  at: Schema.DateTimeUtcFromString,
  /** A username, or `system`. */
  by: Schema.String,
  reason: Schema.String
})
export type CancelRequest = typeof CancelRequest.Type

/** The end of the log: when the saga last made progress, and under which fence. */
const LastEntry = Schema.Struct({ at: Schema.DateTimeUtcFromString, fence: Schema.Int })

export class Saga extends Schema.Class<Saga>("Saga")({
  sagaId: SagaId,
  sagaName: Schema.NonEmptyString,
  /** The definition this saga began with, and ends with. */
  definitionVersion: Schema.Int,
  subject: Subject,
  ownerId: UserId,
  correlationId: Schema.String,
  state: SagaState,
  currentStep: Schema.optionalKey(Schema.String),
  completedSteps: Steps,
  compensatedSteps: Steps,
  errorMessage: Schema.optionalKey(Schema.String),
  /** Failed attempts of steps so far. */
  retryCount: Schema.Int,
  /** Log entries so far. */
  logLength: Schema.Int,
  /** Absent while the log is empty, and in rows of instances that did not write it down. */
  lastEntry: Schema.optionalKey(LastEntry),
  /** Number of the queue item that may execute this saga; an item with another number is stale. */
  dispatch: Schema.Int,
  fence: Schema.Int,
  /** Which executors may take it; absent: any. See `SagaEngine`. */
  nodeId: Schema.optionalKey(Schema.String),
  /** It waits outside of the engine: nobody executes it until somebody dispatches it again. */
  suspended: Schema.optionalKey(Schema.Boolean),
  /** The instance that executes it, or executed it last. */
  executor: Schema.optionalKey(Schema.String),
  cancelRequest: Schema.optionalKey(CancelRequest),
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString,
  completedAt: Schema.optionalKey(Schema.DateTimeUtcFromString)
}) {}

/** As its next executor holds it: under a raised fence. */
export const claimedBy = (saga: Saga, executor: string, updatedAt: DateTime.Utc): Saga =>
  changed(saga, {
    state: saga.state === "created" ? "running" : saga.state,
    executor,
    fence: saga.fence + 1,
    updatedAt
  })

/** When it last made progress: with the last entry of its log, or when it was made. Of older rows `updatedAt` is as good as one can tell. */
export const lastProgressAt = ({ createdAt, lastEntry, logLength, updatedAt }: Saga): DateTime.Utc =>
  lastEntry?.at ?? (logLength === 0 ? createdAt : updatedAt)

export const isEnded = (state: SagaState): boolean =>
  state === "completed" || state === "failed" || state === "timeout" || state === "cancelled"
