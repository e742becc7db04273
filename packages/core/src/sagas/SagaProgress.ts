/**
 * The state of a saga, folded from its log. Pure: `evolve` is the only way it changes, and refuses every move that is not legal.
 *
 *   created ──▶ running ──▶ completed
 *                  └──▶ compensating ──▶ failed │ timeout │ cancelled
 */
import { type DateTime, Result, Schema } from "effect"
import type { SagaState } from "./Saga.ts"
import type { CompensationCause, SagaEntry, StepFailure } from "./SagaEntry.ts"

export interface CompletedStep {
  readonly step: string
  readonly output: Schema.Json
}

/** A step, or the undoing of one, that was begun and has neither succeeded nor been given up. */
export interface OpenStep {
  readonly step: string
  readonly attempt: number
  /** Set once the attempt has failed. */
  readonly failure?: StepFailure
  /** When the next attempt is due; absent after a failure that is final. */
  readonly retryAt?: DateTime.Utc
}

export interface SagaProgress {
  readonly state: SagaState
  /** In the order of completion. */
  readonly completed: ReadonlyArray<CompletedStep>
  readonly open?: OpenStep
  readonly compensation?: { readonly cause: CompensationCause; readonly reason: string }
  /** The undoing under way. */
  readonly openUndo?: OpenStep
  readonly undone: ReadonlyArray<string>
  /** Steps whose undoing was given up: somebody must look. */
  readonly abandoned: ReadonlyArray<string>
  readonly failures: number
  /** Entries folded so far. */
  readonly length: number
}

export const initial: SagaProgress = {
  state: "created",
  completed: [],
  undone: [],
  abandoned: [],
  failures: 0,
  length: 0
}

/** The log holds an entry that cannot follow what stands before it. */
export class SagaEntryIllegal extends Schema.TaggedError<SagaEntryIllegal>()("SagaEntryIllegal", {
  seq: Schema.Int,
  entryTag: Schema.String,
  state: Schema.String
}) {}

export const fold = (entries: ReadonlyArray<SagaEntry>): Result.Result<SagaProgress, SagaEntryIllegal> => {
  let progress = initial
  for (const entry of entries) {
    const next = evolve(progress, entry)
    if (Result.isFailure(next)) return next
    progress = next.success
  }
  return Result.succeed(progress)
}

export const evolve = (progress: SagaProgress, entry: SagaEntry): Result.Result<SagaProgress, SagaEntryIllegal> => {
  const next = move(progress, entry)
  return next === undefined
    ? Result.fail(new SagaEntryIllegal({ seq: progress.length + 1, entryTag: entry._tag, state: progress.state }))
    : Result.succeed({ ...next, length: progress.length + 1 })
}

/** Steps that may have left something behind, latest first: completed ones, and one that was begun. */
export const toUndo = (progress: SagaProgress): ReadonlyArray<string> => {
  const begun = progress.open === undefined ? [] : [progress.open.step]
  return [...progress.completed.map(({ step }) => step), ...begun].reverse()
}

const move = (progress: SagaProgress, entry: SagaEntry): SagaProgress | undefined => {
  switch (entry._tag) {
    case "SagaStarted":
      return progress.length === 0 ? { ...progress, state: "running" } : undefined
    case "StepStarted":
    case "StepCompleted":
    case "StepFailed":
      return progress.state === "running" && !isCompleted(progress, entry.step) ? moveStep(progress, entry) : undefined
    case "CompensationStarted":
      return progress.state === "running"
        ? { ...progress, state: "compensating", compensation: { cause: entry.cause, reason: entry.reason } }
        : undefined
    case "UndoStarted":
    case "StepUndone":
    case "UndoFailed":
      return progress.state === "compensating" && mayUndo(progress, entry.step) ? moveUndo(progress, entry) : undefined
    case "SagaEnded":
      return (
        entry.end === "completed"
          ? progress.state === "running" && progress.open === undefined
          : progress.state === "compensating"
      )
        ? { ...progress, state: entry.end }
        : undefined
  }
}

type StepEntry = Extract<SagaEntry, { readonly _tag: "StepStarted" | "StepCompleted" | "StepFailed" }>
type UndoEntry = Extract<SagaEntry, { readonly _tag: "UndoStarted" | "StepUndone" | "UndoFailed" }>

const moveStep = (progress: SagaProgress, entry: StepEntry): SagaProgress | undefined => {
  const { open, ...rest } = progress
  if (open !== undefined && open.step !== entry.step) return undefined
  if (entry._tag === "StepCompleted")
    return { ...rest, completed: [...progress.completed, { step: entry.step, output: entry.output }] }
  const begun = begin(open, entry)
  return begun && { ...rest, open: begun, failures: progress.failures + (entry._tag === "StepFailed" ? 1 : 0) }
}

const moveUndo = (progress: SagaProgress, entry: UndoEntry): SagaProgress | undefined => {
  const { openUndo, ...rest } = progress
  if (openUndo !== undefined && openUndo.step !== entry.step) return undefined
  if (entry._tag === "StepUndone") return { ...rest, undone: [...progress.undone, entry.step] }
  const begun = begin(openUndo, entry)
  if (begun === undefined) return undefined
  const failures = progress.failures + (entry._tag === "UndoFailed" ? 1 : 0)
  return entry._tag === "UndoFailed" && entry.retryAt === undefined
    ? { ...rest, failures, abandoned: [...progress.abandoned, entry.step] }
    : { ...rest, failures, openUndo: begun }
}

/** Attempts count up from 1; an attempt fails once. */
const begin = (
  open: OpenStep | undefined,
  entry: Exclude<StepEntry | UndoEntry, { readonly _tag: "StepCompleted" | "StepUndone" }>
): OpenStep | undefined => {
  const { attempt, step } = entry
  const expected = open === undefined ? 1 : open.failure === undefined ? open.attempt : open.attempt + 1
  if (attempt !== expected) return undefined
  if (entry._tag === "StepStarted" || entry._tag === "UndoStarted")
    return open !== undefined && open.failure === undefined ? undefined : { step, attempt }
  const { failure, retryAt } = entry
  return retryAt === undefined ? { step, attempt, failure } : { step, attempt, failure, retryAt }
}

const isCompleted = (progress: SagaProgress, step: string) => progress.completed.some((done) => done.step === step)

const mayUndo = (progress: SagaProgress, step: string) =>
  toUndo(progress).includes(step) && !progress.undone.includes(step) && !progress.abandoned.includes(step)
