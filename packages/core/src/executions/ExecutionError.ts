/** What callers of the executions area can be told. */
import { Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { ExecutionStatus } from "./ExecutionStatus.ts"

const execution = { executionId: ExecutionId, executionStatus: ExecutionStatus }

/** Also for an execution that belongs to someone else: existence is not revealed. */
export class ExecutionNotFound extends Schema.TaggedError<ExecutionNotFound>()("ExecutionNotFound", {
  executionId: ExecutionId
}) {}

/** The execution has ended, so it can neither move nor be cancelled. */
export class ExecutionEnded extends Schema.TaggedError<ExecutionEnded>()("ExecutionEnded", execution) {}

/** The execution has not ended, so it can be neither retried nor deleted yet. */
export class ExecutionActive extends Schema.TaggedError<ExecutionActive>()("ExecutionActive", execution) {}

/** The request asks for more than this instance grants. */
export class LimitTooHigh extends Schema.TaggedError<LimitTooHigh>()("LimitTooHigh", {
  limits: Schema.Array(Schema.Struct({ limit: Schema.String, requested: Schema.Int, maximum: Schema.Int }))
}) {}

/** The request asks for a start later than instances promise to remember. */
export class RunAtTooFar extends Schema.TaggedError<RunAtTooFar>()("RunAtTooFar", {
  runAt: Schema.DateTimeUtcFromString,
  latest: Schema.DateTimeUtcFromString
}) {}

/** The execution has not come to that attempt. */
export class AttemptNotFound extends Schema.TaggedError<AttemptNotFound>()("AttemptNotFound", {
  executionId: ExecutionId,
  attempt: Schema.Int,
  /** There are so many. */
  attempts: Schema.Int
}) {}

/** The execution would have more labels than it may. */
export class TooManyLabels extends Schema.TaggedError<TooManyLabels>()("TooManyLabels", {
  executionId: ExecutionId,
  maximum: Schema.Int
}) {}

/** Too many executions wait already; the request may succeed later. */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  /** Whose executions: one's own, one's own that are planned for later, or everybody's. */
  scope: Schema.Literals(["host", "user", "planned"]),
  maximum: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {}

/** As much output is kept of the user's executions as may be; the request succeeds once some are deleted. */
export class StoredOutputExhausted extends Schema.TaggedError<StoredOutputExhausted>()("StoredOutputExhausted", {
  storedBytes: Schema.Int,
  maximumBytes: Schema.Int
}) {}

/** The key was used before, for a different request. */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()("IdempotencyKeyReused", {
  executionId: ExecutionId
}) {}
