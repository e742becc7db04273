/** What an executor does next, decided from the folded log alone. Pure, so the same log gives the same answer on any instance. */
import { DateTime } from "effect"
import type { CancelRequest } from "./Saga.ts"
import type { CompensationCause, SagaEnd } from "./SagaEntry.ts"
import { type OpenStep, type SagaProgress, toUndo } from "./SagaProgress.ts"

/** The part of a step that decisions need. */
export interface StepShape {
  readonly name: string
  readonly hasUndo: boolean
}

export interface Signals {
  readonly now: DateTime.Utc
  readonly cancelRequest: CancelRequest | undefined
  /** When the saga turns back by itself; absent while nothing limits it. */
  readonly deadline: DateTime.Utc | undefined
}

export type SagaDecision =
  | { readonly _tag: "Start" }
  /** `begun`: an earlier executor began this attempt and its outcome is unknown. */
  | { readonly _tag: "Run"; readonly step: string; readonly attempt: number; readonly begun: boolean }
  | { readonly _tag: "Compensate"; readonly cause: CompensationCause; readonly reason: string }
  | { readonly _tag: "Undo"; readonly step: string; readonly attempt: number; readonly begun: boolean }
  | { readonly _tag: "Wait"; readonly until: DateTime.Utc }
  | { readonly _tag: "End"; readonly end: SagaEnd; readonly reason: string | undefined }
  | { readonly _tag: "Done" }

export const decide = (progress: SagaProgress, steps: ReadonlyArray<StepShape>, signals: Signals): SagaDecision => {
  switch (progress.state) {
    case "created":
      return { _tag: "Start" }
    case "running":
      return decideForward(progress, steps, signals)
    case "compensating":
      return decideBackward(progress, steps, signals)
    default:
      return { _tag: "Done" }
  }
}

const decideForward = (
  { completed, open }: SagaProgress,
  steps: ReadonlyArray<StepShape>,
  { cancelRequest, deadline, now }: Signals
): SagaDecision => {
  const done = new Set(completed.map(({ step }) => step))
  const next = steps.find(({ name }) => !done.has(name))
  if (next === undefined) return { _tag: "End", end: "completed", reason: undefined }
  if (cancelRequest !== undefined) return { _tag: "Compensate", cause: "cancelled", reason: cancelRequest.reason }
  if (deadline !== undefined && DateTime.isGreaterThanOrEqualTo(now, deadline))
    return { _tag: "Compensate", cause: "timeout", reason: `not finished by ${DateTime.formatIso(deadline)}` }
  if (open?.failure !== undefined && open.retryAt === undefined)
    return { _tag: "Compensate", cause: "failed", reason: `${open.step}: ${open.failure.message}` }
  return attemptOf(open, now) ?? { _tag: "Run", step: next.name, ...numberOf(open) }
}

const decideBackward = (progress: SagaProgress, steps: ReadonlyArray<StepShape>, { now }: Signals): SagaDecision => {
  const { abandoned, compensation, openUndo, undone } = progress
  const undoable = new Set(steps.filter(({ hasUndo }) => hasUndo).map(({ name }) => name))
  const next = toUndo(progress).find(
    (step) => undoable.has(step) && !undone.includes(step) && !abandoned.includes(step)
  )
  if (next !== undefined) return attemptOf(openUndo, now) ?? { _tag: "Undo", step: next, ...numberOf(openUndo) }
  if (abandoned.length > 0) return { _tag: "End", end: "failed", reason: `could not undo ${abandoned.join(", ")}` }
  return { _tag: "End", end: compensation?.cause ?? "failed", reason: compensation?.reason }
}

const attemptOf = (open: OpenStep | undefined, now: DateTime.Utc): SagaDecision | undefined =>
  open?.retryAt !== undefined && DateTime.isLessThan(now, open.retryAt)
    ? { _tag: "Wait", until: open.retryAt }
    : undefined

const numberOf = (open: OpenStep | undefined) =>
  open === undefined
    ? { attempt: 1, begun: false }
    : open.failure === undefined
      ? { attempt: open.attempt, begun: true }
      : { attempt: open.attempt + 1, begun: false }
