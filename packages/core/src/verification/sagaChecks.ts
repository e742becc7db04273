/** Whether an execution and its sagas agree, and whether each saga's row and log do. */
import { DateTime, Result } from "effect"
import type { Execution } from "../executions/Execution.ts"
import { isTerminal } from "../executions/ExecutionStatus.ts"
import { startStep } from "../executions/stepOutputs.ts"
import { isEnded } from "../sagas/Saga.ts"
import { decide, type StepShape } from "../sagas/SagaDecision.ts"
import type { SagaEntry } from "../sagas/SagaEntry.ts"
import { evolve, initial, type SagaProgress } from "../sagas/SagaProgress.ts"
import { type Check, type ExecutionRecords, isWhole, type SagaFile } from "./ExecutionRecords.ts"
import { stepsOf } from "./SagaShapes.ts"
import { unless, type Violation } from "./Violation.ts"

/** At most one saga of an execution is alive, and it is the last. */
const accompanied: Check = (records) => {
  if (!isWhole(records, "sagas")) return []
  const { execution, executionId, sagas } = records
  // One that was skipped, because its key was taken, ended as it was accepted.
  const isSkipped = execution?.outcome?.errorCause === "skipped"
  return [
    ...unless(sagas.length > 0 || isSkipped, "saga_end", `executions ${executionId}`, "it has no saga"),
    ...sagas
      .slice(0, -1)
      .flatMap((file) =>
        unless(isEnded(file.saga.state), "saga_end", rowOf(file), "a later saga began before it ended")
      )
  ]
}

/** The execution's end is that of its last saga. */
const endedTogether: Check = (records) => {
  const { execution, sagas } = records
  const last = sagas.at(-1)
  if (execution === undefined || last === undefined || !isWhole(records, "sagas", "saga_log")) return []
  const { status } = execution
  const { state } = last.saga
  return [
    ...unless(
      isTerminal(status) === isEnded(state),
      "saga_end",
      rowOf(last),
      `it is ${state}, its execution ${status}`
    ),
    ...unless(
      !isTerminal(status) || !isEnded(state) || agrees(last, execution),
      "saga_end",
      rowOf(last),
      `it ended ${state}, its execution ${status}`
    ),
    ...unless(
      isEnded(state) || !last.saga.completedSteps.includes("start_job") || status === "running",
      "saga_end",
      rowOf(last),
      `it has started a job, its execution is ${status}`
    )
  ]
}

/** A saga that went forward ends with whatever its script ended with; one that turned back tells why, unless it found its script ended. */
const agrees = ({ log, saga }: SagaFile, { outcome, status }: Execution): boolean => {
  const hadEnded = status === "completed" || status === "failed" || outcome?.errorCause === "timeout"
  if (hadEnded && saga.compensatedSteps.includes(startStep)) return true
  switch (saga.state) {
    case "cancelled":
    case "timeout":
      return status === saga.state
    case "failed":
      // One whose undoing was given up may have settled its execution before.
      return status === "error" || log.some(({ entry }) => entry._tag === "UndoFailed" && entry.retryAt === undefined)
    default:
      return true
  }
}

const perSaga =
  (judge: (file: SagaFile, records: ExecutionRecords) => ReadonlyArray<Violation>): Check =>
  (records) =>
    isWhole(records, "saga_log") ? records.sagas.flatMap((file) => judge(file, records)) : []

const sequential = perSaga(({ log, saga }) =>
  log.flatMap(({ seq }, i) =>
    unless(seq === i + 1, "log_sequence", `saga_log ${saga.sagaId}/${seq}`, `it is entry ${i + 1} of its log`)
  )
)

const fenced = perSaga(({ log, saga }) =>
  log.flatMap(({ fence, seq }, i) => {
    const before = log[i - 1]?.fence ?? 1
    const row = `saga_log ${saga.sagaId}/${seq}`
    return [
      ...unless(fence >= before, "log_fence", row, `fence ${fence} after fence ${before}`),
      ...unless(fence <= saga.fence, "log_fence", row, `fence ${fence}, but the saga stands at ${saga.fence}`)
    ]
  })
)

/** Folds the log, asking before each entry whether it may stand there. Stops at the first that may not. */
const moved = perSaga((file) => {
  const steps = stepsOf(file.saga)
  let progress = initial
  for (const { entry, seq } of file.log) {
    const row = `saga_log ${file.saga.sagaId}/${seq}`
    const wanted = steps === undefined ? undefined : expected(progress, entry, steps)
    if (wanted !== undefined)
      return [
        {
          invariant: isUndo(entry) ? "compensation" : "log_moves",
          row,
          detail: `${nameOf(entry)} where ${wanted} was due`
        }
      ]
    const next = evolve(progress, entry)
    if (Result.isFailure(next))
      return [
        { invariant: "log_moves", row, detail: `${nameOf(entry)} cannot follow while the saga is ${progress.state}` }
      ]
    progress = next.success
  }
  return projected(file, progress)
})

/** What was due instead of the entry; nothing if it was this. The moments at which a saga turns back are not in its log. */
const expected = (progress: SagaProgress, entry: SagaEntry, steps: ReadonlyArray<StepShape>): string | undefined => {
  const due = decide(progress, steps, { now: endOfTime, cancelRequest: undefined, deadline: undefined })
  switch (entry._tag) {
    case "StepStarted":
    case "StepCompleted":
    case "StepFailed":
      return due._tag === "Run" && due.step === entry.step ? undefined : describe(due)
    case "UndoStarted":
    case "StepUndone":
    case "UndoFailed":
      return due._tag === "Undo" && due.step === entry.step ? undefined : describe(due)
    case "SagaEnded":
      return due._tag === "End" && due.end === entry.end ? undefined : describe(due)
    default:
      return undefined
  }
}

/** Later than any retry is due, so that no decision is to wait. */
const endOfTime = DateTime.makeUnsafe(8_640_000_000_000_000)

const describe = (due: ReturnType<typeof decide>): string => {
  switch (due._tag) {
    case "Run":
    case "Undo":
      return `${due._tag} ${due.step}`
    case "End":
      return `End ${due.end}`
    default:
      return due._tag
  }
}

const isUndo = (entry: SagaEntry) =>
  entry._tag === "UndoStarted" ||
  entry._tag === "StepUndone" ||
  entry._tag === "UndoFailed" ||
  (entry._tag === "SagaEnded" && entry.end !== "completed")

const nameOf = (entry: SagaEntry) => ("step" in entry ? `${entry._tag} ${entry.step}` : entry._tag)

const projected = (file: SagaFile, progress: SagaProgress): ReadonlyArray<Violation> => {
  const { saga } = file
  const publicOutput = (name: string, row: string, log: string) =>
    unless(row === log, "saga_projection", rowOf(file), `${name} is ${row || "empty"}, the log says ${log || "empty"}`)
  // An executor that has claimed the saga and written nothing yet has made it run.
  const state = progress.state === "created" && saga.fence > 0 ? "running" : progress.state
  return [
    ...publicOutput("state", saga.state, state),
    ...publicOutput(
      "completedSteps",
      saga.completedSteps.join(", "),
      progress.completed.map(({ step }) => step).join(", ")
    ),
    ...publicOutput("compensatedSteps", saga.compensatedSteps.join(", "), progress.undone.join(", ")),
    ...publicOutput("retryCount", `${saga.retryCount}`, `${progress.failures}`),
    ...publicOutput("logLength", `${saga.logLength}`, `${progress.length}`),
    ...unless(
      isEnded(saga.state) === (saga.completedAt !== undefined),
      "saga_projection",
      rowOf(file),
      `it is ${saga.state} and has ${saga.completedAt === undefined ? "no" : "an"} end time`
    )
  ]
}

const rowOf = ({ saga }: SagaFile) => `sagas ${saga.sagaId}`

export const sagaChecks: ReadonlyArray<Check> = [accompanied, endedTogether, sequential, fenced, moved]
