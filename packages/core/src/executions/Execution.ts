/**
 * One accepted request to run a script. Pure: only the functions below decide how its status moves.
 *
 *   queued ──▶ scheduled ──▶ running ──▶ completed │ failed │ timeout │ cancelled │ error
 *      │ ▲         │            │
 *      │ └─────────┴────────────┘ another attempt, by the retry policy
 *      └──────────┴──▶ cancelled │ error │ timeout
 */
import { type DateTime, Result, Schema } from "effect"
import { ExecutionErrorType } from "../events/ExecutionErrorType.ts"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { UserId } from "../ids/UserId.ts"
import { Priority } from "../queue/Priority.ts"
import { RuntimeKind } from "../runtime/Job.ts"
import { NodeId } from "../runtime/NodeId.ts"
import { ResourceUsage } from "../runtime/ResourceUsage.ts"
import { Sealed } from "../secrets/Secrets.ts"
import { changed } from "../storage/changed.ts"
import { ExecutionEnded } from "./ExecutionError.ts"
import { ExecutionLimits } from "./ExecutionLimits.ts"
import { ExecutionStatus, isTerminal, TerminalStatus } from "./ExecutionStatus.ts"
import { RetryPolicy } from "./RetryPolicy.ts"

/** Longest script in characters, as in the contract. */
export const maxScriptLength = 50_000

/** By which people find executions again: `team: billing`. Keys as in file names and paths, so that `key=value` is unambiguous. */
export const Labels = Schema.Record(Schema.String, Schema.String)
export type Labels = typeof Labels.Type

/** Bytes that were written but not stored. */
export const Omission = Schema.Struct({
  /** Stored bytes before them; 0 or more. */
  at: Schema.Int,
  /** How many; 1 or more. */
  bytes: Schema.Int
})
export type Omission = typeof Omission.Type

/** How the last attempt ended and what it left. */
export const ExecutionOutcome = Schema.Struct({
  /** Absent when the script has none: it never ran, or was ended by a signal. */
  exitCode: Schema.optionalKey(Schema.Int),
  errorType: Schema.optionalKey(ExecutionErrorType),
  /** The precise reason behind `errorType`: `lost`, `memory`, `signal:SIGSEGV`, `cancelled_by:alice`, … */
  errorCause: Schema.optionalKey(Schema.String),
  /** One sentence for a person. */
  errorMessage: Schema.optionalKey(Schema.String),
  resourceUsage: Schema.optionalKey(ResourceUsage),
  /** Stored bytes per stream; more were written when `truncated`. */
  stdoutBytes: Schema.Int,
  stderrBytes: Schema.Int,
  truncated: Schema.Boolean,
  /** What was written and not stored, where that is known. */
  omitted: Schema.optionalKey(
    Schema.Struct({ stdout: Schema.optionalKey(Omission), stderr: Schema.optionalKey(Omission) })
  )
})
export type ExecutionOutcome = typeof ExecutionOutcome.Type

/** An attempt that another one followed. */
export const EndedAttempt = Schema.Struct({
  /** 1 for the first. */
  attempt: Schema.Int,
  status: TerminalStatus,
  nodeId: Schema.optionalKey(NodeId),
  /** Absent when it ended before its script began. */
  startedAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  finishedAt: Schema.DateTimeUtcFromString,
  outcome: ExecutionOutcome
})
export type EndedAttempt = typeof EndedAttempt.Type

export const noOutput: ExecutionOutcome = { stdoutBytes: 0, stderrBytes: 0, truncated: false }

export class Execution extends Schema.Class<Execution>("Execution")({
  executionId: ExecutionId,
  ownerId: UserId,
  script: Schema.String,
  lang: Schema.NonEmptyString,
  /** As requested; `resolvedVersion` is what runs. */
  langVersion: Schema.NonEmptyString,
  resolvedVersion: Schema.NonEmptyString,
  runtime: RuntimeKind,
  args: Schema.Array(Schema.String),
  /** The environment of the script as sealed JSON; absent when the request gave none. */
  sealedEnv: Schema.optionalKey(Sealed),
  limits: ExecutionLimits,
  /** An attempt is over when what its script left in the background has ended too; absent or false: that is ended with the script. */
  waitForBackground: Schema.optionalKey(Schema.Boolean),
  priority: Priority,
  status: ExecutionStatus,
  /** Number of the current attempt; 0 before the first start. */
  attempt: Schema.Int,
  /** The attempts before the current one, oldest first; each with output of its own. */
  earlierAttempts: Schema.optionalKey(Schema.Array(EndedAttempt)),
  /** When and how often it is tried again; absent: never. */
  retryPolicy: Schema.optionalKey(RetryPolicy),
  /** Not before this time. */
  runAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** It ends as `timeout` if it still waits for its first start then. */
  expiresAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Executions of one owner with the same key run one after the other. */
  concurrencyKey: Schema.optionalKey(Schema.String),
  /** Where the current attempt runs, once that is known. */
  nodeId: Schema.optionalKey(NodeId),
  /** What its owner calls it. */
  name: Schema.optionalKey(Schema.NonEmptyString),
  /** At least one. */
  labels: Schema.optionalKey(Labels),
  /** The execution this one repeats at a user's request. */
  retryOf: Schema.optionalKey(ExecutionId),
  correlationId: Schema.String,
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString,
  /** Start of the current attempt. */
  startedAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  finishedAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Present once the status is terminal. */
  outcome: Schema.optionalKey(ExecutionOutcome)
}) {}

/** A place has room for the execution. */
export const schedule = (execution: Execution, at: DateTime.Utc, nodeId: NodeId | undefined) =>
  move(execution, at, { status: "scheduled", ...(nodeId === undefined ? {} : { nodeId }) })

/** A new attempt begins; its number goes up by one. */
export const beginAttempt = (execution: Execution, at: DateTime.Utc) =>
  move(execution, at, {
    status: "running",
    attempt: execution.attempt + 1,
    startedAt: at
  })

/** The attempt has ended, and another one is to follow: it goes back into the queue, with what was remembered. */
export const requeue = (
  execution: Execution,
  at: DateTime.Utc,
  status: TerminalStatus,
  outcome: ExecutionOutcome,
  expiresAt: DateTime.Utc
): Result.Result<Execution, ExecutionEnded> => {
  const { nodeId, startedAt, ...rest } = execution
  const attempt = currentAttempt(execution)
  const ended: EndedAttempt = {
    attempt,
    status,
    finishedAt: at,
    outcome,
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(startedAt === undefined ? {} : { startedAt })
  }
  const earlierAttempts = [...(execution.earlierAttempts ?? []), ended]
  return move(new Execution(rest), at, { status: "queued", attempt, earlierAttempts, expiresAt })
}

/** Number of the attempt that runs, or that would be the next to run. */
export const currentAttempt = ({ attempt, startedAt }: Execution): number =>
  startedAt === undefined ? attempt + 1 : attempt

/** The execution as it stood with each attempt, oldest first; the last one is the current, which may not have begun. */
export const attemptsOf = (execution: Execution): ReadonlyArray<Execution> =>
  [...(execution.earlierAttempts ?? []).map(({ attempt }) => attempt), currentAttempt(execution)].flatMap(
    (attempt) => asOfAttempt(execution, attempt) ?? []
  )

/** The execution as that attempt left it; `undefined` if it has not come so far. */
export const asOfAttempt = (execution: Execution, attempt: number): Execution | undefined => {
  if (attempt === currentAttempt(execution)) return new Execution({ ...execution, attempt })
  const earlier = execution.earlierAttempts?.find((ended) => ended.attempt === attempt)
  if (earlier === undefined) return undefined
  const { finishedAt, outcome, nodeId, startedAt, status } = earlier
  const { nodeId: _, startedAt: __, ...rest } = execution
  return new Execution({
    ...rest,
    attempt,
    status,
    finishedAt,
    outcome,
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(startedAt === undefined ? {} : { startedAt })
  })
}

/** Bytes of both streams that its ended attempts left. One that ends before its attempt has begun has the outcome of the attempt before. */
export const storedOutputBytes = ({ earlierAttempts = [], outcome, startedAt }: Execution): number =>
  [...earlierAttempts.map((ended) => ended.outcome), ...(startedAt && outcome ? [outcome] : [])]
    .map(({ stderrBytes, stdoutBytes }) => stdoutBytes + stderrBytes)
    .reduce((sum, bytes) => sum + bytes, 0)

/** The execution ends, once and for ever. */
export const finish = (execution: Execution, at: DateTime.Utc, status: TerminalStatus, outcome: ExecutionOutcome) =>
  move(execution, at, { status, outcome, finishedAt: at })

const move = (
  execution: Execution,
  at: DateTime.Utc,
  change: Partial<typeof Execution.Type> & { readonly status: ExecutionStatus }
): Result.Result<Execution, ExecutionEnded> =>
  isTerminal(execution.status)
    ? Result.fail(new ExecutionEnded({ executionId: execution.executionId, executionStatus: execution.status }))
    : Result.succeed(changed(execution, { ...change, updatedAt: at }))
