/** A saga's log as people read it: one line for each attempt of a step or of its undoing. Pure. */
import type { DateTime, Schema } from "effect"
import type { SagaId } from "../ids/SagaId.ts"
import type { CompensationCause, LoggedEntry, SagaEnd, SagaEntry, StepFailure } from "./SagaEntry.ts"

export interface StepRun {
  readonly step: string
  readonly direction: "run" | "undo"
  /** 1 for the first. */
  readonly attempt: number
  /** `open`: it began, and what came of it is not in the log. `reused`: another saga did it. */
  readonly result: "open" | "completed" | "failed" | "reused"
  /** Absent for a step that does not act on the outside world: its beginning is not written down. */
  readonly begunAt?: DateTime.Utc
  readonly endedAt?: DateTime.Utc
  /** What may be shown of it; `null` if nothing may. */
  readonly output: Schema.Json
  readonly failure?: StepFailure
  /** When the next attempt is, or was, due. */
  readonly retryAt?: DateTime.Utc
  /** Of the latest entry about this attempt. */
  readonly fence: number
  readonly executor?: string
}

export interface SagaHistory {
  readonly startedAt?: DateTime.Utc
  readonly restartOf?: SagaId
  readonly fromStep?: string
  /** In the order in which they began. */
  readonly runs: ReadonlyArray<StepRun>
  readonly compensation?: { readonly at: DateTime.Utc; readonly cause: CompensationCause; readonly reason: string }
  readonly ended?: { readonly at: DateTime.Utc; readonly end: SagaEnd; readonly reason?: string }
}

/** What may be shown of the output of a step. */
export type PublicOutput = (step: string, output: Schema.Json) => Schema.Json

/** `log`: oldest first. Never fails: a log that no executor can fold is the one that people most want to read. */
export const historyOf = (log: ReadonlyArray<LoggedEntry>, publicOutput: PublicOutput): SagaHistory =>
  log.reduce<SagaHistory>((history, logged) => told(history, logged, publicOutput), { runs: [] })

const told = (history: SagaHistory, logged: LoggedEntry, publicOutput: PublicOutput): SagaHistory => {
  const { at, entry } = logged
  switch (entry._tag) {
    case "SagaStarted": {
      const { fromStep, restartOf } = entry
      return {
        ...history,
        startedAt: at,
        ...(restartOf === undefined ? {} : { restartOf }),
        ...(fromStep === undefined ? {} : { fromStep })
      }
    }
    case "CompensationStarted":
      return { ...history, compensation: { at, cause: entry.cause, reason: entry.reason } }
    case "SagaEnded": {
      const { end, reason } = entry
      return { ...history, ended: { at, end, ...(reason === undefined ? {} : { reason }) } }
    }
    default:
      return { ...history, runs: withStep(history.runs, logged, entry, publicOutput) }
  }
}

type StepEntry = Exclude<SagaEntry, { readonly _tag: "SagaStarted" | "CompensationStarted" | "SagaEnded" }>

const withStep = (
  runs: ReadonlyArray<StepRun>,
  { at, executor, fence }: LoggedEntry,
  entry: StepEntry,
  publicOutput: PublicOutput
): ReadonlyArray<StepRun> => {
  const { step } = entry
  const direction = entry._tag.startsWith("Undo") || entry._tag === "StepUndone" ? "undo" : "run"
  const last = runs.findLast((run) => run.step === step && run.direction === direction)
  const open = last?.result === "open" ? last : undefined
  const attempt = open?.attempt ?? (last?.attempt ?? 0) + 1
  const begunAt = open?.begunAt ?? (entry._tag === "StepStarted" || entry._tag === "UndoStarted" ? at : undefined)
  const run = {
    step,
    direction,
    attempt,
    fence,
    output: null,
    ...(begunAt === undefined ? {} : { begunAt }),
    ...(executor === undefined ? {} : { executor }),
    ...ended(entry, at, fence, publicOutput)
  } satisfies StepRun
  return open === undefined ? [...runs, run] : runs.map((other) => (other === open ? run : other))
}

const ended = (
  entry: StepEntry,
  at: DateTime.Utc,
  fence: number,
  publicOutput: PublicOutput
): Pick<StepRun, "result"> & Partial<StepRun> => {
  switch (entry._tag) {
    case "StepStarted":
    case "UndoStarted":
      return { result: "open" }
    case "StepCompleted":
      // Before the first executor took the saga only outcomes of another one can have come in.
      return {
        result: fence === 0 ? "reused" : "completed",
        endedAt: at,
        output: publicOutput(entry.step, entry.output)
      }
    case "StepUndone":
      return { result: "completed", endedAt: at }
    default: {
      const { failure, retryAt } = entry
      return { result: "failed", endedAt: at, failure, ...(retryAt === undefined ? {} : { retryAt }) }
    }
  }
}
