/** Sagas played from start to end against a world that answers as the tests say: every log that `decide` can bring about. */
import { assert } from "@effect/vitest"
import { decide, type SagaDecision, type StepShape } from "@fairlead/core/sagas/SagaDecision"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { evolve, initial, type SagaProgress } from "@fairlead/core/sagas/SagaProgress"
import { DateTime, Result, Schema } from "effect"

export const steps: ReadonlyArray<StepShape> = [
  { name: "validate", hasUndo: false },
  { name: "allocate", hasUndo: true },
  { name: "start", hasUndo: true },
  { name: "store", hasUndo: false }
]
export const now = DateTime.makeUnsafe("2026-01-01T00:00:00Z")
export const failure = { type: "T", message: "no", retryable: true }

/** What the world answers to one run or undo. `crash`: the driver died after the intent; the next one finds it open. */
const Answer = Schema.Literals(["ok", "retry", "fail", "crash"])
type Answer = typeof Answer.Type
export const Answers = Schema.Array(Answer).check(Schema.isMaxLength(40))
export const CancelAt = Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 })))

const entriesFor = (decision: SagaDecision, answer: Answer): ReadonlyArray<SagaEntry> => {
  switch (decision._tag) {
    case "Start":
      return [{ _tag: "SagaStarted", name: "s", definitionVersion: 1 }]
    case "Compensate":
      return [{ _tag: "CompensationStarted", cause: decision.cause, reason: decision.reason }]
    case "Run": {
      const { attempt, begun, step } = decision
      const intent: ReadonlyArray<SagaEntry> = begun ? [] : [{ _tag: "StepStarted", step, attempt }]
      if (answer === "crash") return intent
      if (answer === "ok") return [...intent, { _tag: "StepCompleted", step, output: null }]
      const failed = { _tag: "StepFailed" as const, step, attempt, failure }
      return [...intent, answer === "retry" ? { ...failed, retryAt: now } : failed]
    }
    case "Undo": {
      const { attempt, begun, step } = decision
      const intent: ReadonlyArray<SagaEntry> = begun ? [] : [{ _tag: "UndoStarted", step, attempt }]
      if (answer === "crash") return intent
      if (answer === "ok") return [...intent, { _tag: "StepUndone", step }]
      const failed = { _tag: "UndoFailed" as const, step, attempt, failure }
      return [...intent, answer === "retry" ? { ...failed, retryAt: now } : failed]
    }
    case "End":
      return [{ _tag: "SagaEnded", end: decision.end }]
    default:
      return []
  }
}

/** Plays a saga to its end; once the answers run out everything succeeds. */
export const play = (answers: ReadonlyArray<Answer>, cancelAt: number | null, from: SagaProgress = initial) => {
  let progress = from
  let log: ReadonlyArray<SagaEntry> = []
  for (let move = 0; move < 200; move++) {
    const cancelRequest = cancelAt !== null && move >= cancelAt ? { at: now, by: "alice", reason: "enough" } : undefined
    const decision = decide(progress, steps, { now, cancelRequest, deadline: undefined })
    if (decision._tag === "Done") return { progress, log }
    for (const entry of entriesFor(decision, answers[move] ?? "ok")) {
      progress = Result.getOrThrow(evolve(progress, entry))
      log = [...log, entry]
    }
  }
  return assert.fail(`no end after 200 moves: ${JSON.stringify(progress)}`)
}
