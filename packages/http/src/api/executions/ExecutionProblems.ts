/** What can go wrong with an execution, as answers. */
import {
  AttemptNotFound,
  ExecutionActive,
  ExecutionEnded,
  ExecutionNotFound,
  IdempotencyKeyReused,
  LimitTooHigh,
  QueueFull,
  RunAtTooFar,
  StoredOutputExhausted,
  TooManyLabels
} from "@fairlead/core/executions/ExecutionError"
import { LanguageUnsupported } from "@fairlead/core/runtime/RuntimeError"
import { DateTime, Schema, Struct } from "effect"
import { problem } from "../Problem.ts"

export const executionNotFound = problem(ExecutionNotFound, {
  status: 404,
  title: "No such execution",
  detail: ({ executionId }) => `There is no execution ${executionId}.`
})
export const attemptNotFound = problem(AttemptNotFound, {
  status: 404,
  title: "No such attempt",
  detail: ({ attempt, attempts }) =>
    `There is no attempt ${attempt}; ${attempts === 1 ? "there is 1" : `there are 1 to ${attempts}`}.`
})
export const runAtTooFar = problem(RunAtTooFar, {
  status: 422,
  title: "Start too far ahead",
  detail: ({ latest }) => `run_at may be at most a year ahead: ${DateTime.formatIso(latest)}.`
})
export const tooManyLabels = problem(TooManyLabels, {
  status: 422,
  title: "Too many labels",
  detail: ({ maximum }) => `An execution may have at most ${maximum} labels; take some away with null.`
})
export const notCancellable = problem(ExecutionEnded, {
  status: 400,
  title: "Execution has ended",
  detail: ({ executionStatus }) => `Cannot cancel execution in ${executionStatus} state`
})
export const notRetryable = problem(ExecutionActive, {
  status: 400,
  title: "Execution is active",
  detail: ({ executionStatus }) => `Cannot retry execution in ${executionStatus} state`
})
export const languageUnsupported = problem(LanguageUnsupported, {
  status: 422,
  title: "Language not supported",
  detail: ({ language, requestedVersion, supported }) =>
    `No runtime here runs ${language} ${requestedVersion}. There are: ${
      Object.entries(supported)
        .map(([name, versions]) => `${name} ${versions.join(", ")}`)
        .join("; ") || "none"
    }.`
})
export const limitTooHigh = problem(LimitTooHigh, {
  status: 422,
  title: "Limit too high",
  detail: ({ limits }) =>
    limits.map(({ limit, maximum, requested }) => `${limit} may be at most ${maximum}, not ${requested}`).join("; ")
})
const roomTaken = {
  user: (maximum: number) => `You have ${maximum} executions that have not ended.`,
  planned: (maximum: number) => `You have ${maximum} executions that are planned for later.`,
  host: (maximum: number) => `${maximum} executions are waiting.`
}
export const queueFull = problem(QueueFull, {
  status: 429,
  title: "Queue full",
  detail: ({ maximum, retryAfterSeconds, scope }) => `${roomTaken[scope](maximum)} Try again in ${retryAfterSeconds} s.`
})
const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`
export const storedOutputExhausted = problem(StoredOutputExhausted, {
  status: 409,
  title: "Stored output exhausted",
  detail: ({ maximumBytes, storedBytes }) =>
    `Your executions keep ${mebibytes(storedBytes)} of output, and may keep ${mebibytes(maximumBytes)}. ` +
    "Delete executions that you need no more, or ask an administrator for more room."
})
export const idempotencyKeyReused = problem(IdempotencyKeyReused, {
  status: 422,
  title: "Idempotency key reused",
  detail: ({ executionId }) =>
    `This idempotency key was already used for execution ${executionId}, by a different request.`
})

/** The execution was asked to end and had not ended 10 s later, so it is still there. */
export class ExecutionStillActive extends Schema.TaggedError<ExecutionStillActive>()(
  "ExecutionStillActive",
  Struct.omit(ExecutionActive.fields, ["_tag"])
) {}
export const stillActive = problem(ExecutionStillActive, {
  status: 409,
  title: "Execution is active",
  detail: ({ executionStatus }) =>
    `The execution is still ${executionStatus} and was not deleted; cancel it, and delete it when it has ended.`
})

/** More open streams than one user may have on one instance. */
export class TooManyStreams extends Schema.TaggedError<TooManyStreams>()("TooManyStreams", {
  maximum: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {}
export const tooManyStreams = problem(TooManyStreams, {
  status: 429,
  title: "Too many streams",
  detail: ({ maximum, retryAfterSeconds }) =>
    `You have ${maximum} open streams here already. Close one, or try again in ${retryAfterSeconds} s.`
})

/** The wanted bytes begin behind the end of what is stored. */
export class OffsetBeyondEnd extends Schema.TaggedError<OffsetBeyondEnd>()("OffsetBeyondEnd", {
  offset: Schema.Int,
  size: Schema.Int
}) {}
export const offsetBeyondEnd = problem(OffsetBeyondEnd, {
  status: 416,
  title: "Offset beyond the end",
  detail: ({ offset, size }) => `The output has ${size} bytes so far; there is nothing at ${offset}.`
})
