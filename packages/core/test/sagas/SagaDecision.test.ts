import { assert, describe, it } from "@effect/vitest"
import { decide } from "@fairlead/core/sagas/SagaDecision"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { evolve, fold } from "@fairlead/core/sagas/SagaProgress"
import { DateTime, Equal, Result } from "effect"
import { Answers, CancelAt, failure, now, play, steps } from "./support/playedSaga.ts"

describe("decide", () => {
  it.prop(
    "always reaches an end, by legal entries only, whatever the steps answer",
    [Answers, CancelAt],
    ([answers, at]) => {
      const { progress } = play(answers, at)
      assert.include(["completed", "failed", "timeout", "cancelled"], progress.state)
    }
  )

  it.prop("undoes in reverse what was completed or begun, each step once", [Answers, CancelAt], ([answers, at]) => {
    const { log, progress } = play(answers, at)
    if (progress.state === "completed") return
    const begun = new Set(log.flatMap((e) => (e._tag === "StepStarted" || e._tag === "StepCompleted" ? [e.step] : [])))
    const expected = steps.filter(({ hasUndo, name }) => hasUndo && begun.has(name)).map(({ name }) => name)
    const handled = [...progress.undone, ...progress.abandoned]
    assert.sameMembers(handled, expected)
    assert.deepStrictEqual(
      progress.undone,
      [...expected].reverse().filter((step) => progress.undone.includes(step))
    )
    if (progress.abandoned.length > 0) assert.strictEqual(progress.state, "failed")
  })

  it.prop("runs every step, in order, before it completes", [Answers], ([answers]) => {
    const { progress } = play(answers, null)
    const done = progress.completed.map(({ step }) => step)
    assert.deepStrictEqual(
      done,
      steps.slice(0, done.length).map(({ name }) => name)
    )
    assert.strictEqual(progress.state === "completed", done.length === steps.length)
  })

  it.prop(
    "is the same after a restart: folding the log gives the state the driver had",
    [Answers, CancelAt],
    ([answers, at]) => {
      const { log, progress } = play(answers, at)
      assert.isTrue(Equal.equals(Result.getOrThrow(fold(log)), progress))
    }
  )

  it("waits for a retry that is not due, and turns back when the deadline has passed", () => {
    const started: ReadonlyArray<SagaEntry> = [
      { _tag: "SagaStarted", name: "s", definitionVersion: 1 },
      { _tag: "StepFailed", step: "validate", attempt: 1, failure, retryAt: DateTime.add(now, { seconds: 1 }) }
    ]
    const progress = Result.getOrThrow(fold(started))
    assert.strictEqual(decide(progress, steps, { now, cancelRequest: undefined, deadline: undefined })._tag, "Wait")
    const late = decide(progress, steps, { now, cancelRequest: undefined, deadline: now })
    assert.deepInclude(late, { _tag: "Compensate", cause: "timeout" })
  })
})

describe("evolve", () => {
  it.prop("refuses every entry after the end", [Answers, CancelAt], ([answers, at]) => {
    const { log, progress } = play(answers, at)
    for (const entry of log) assert.isTrue(Result.isFailure(evolve(progress, entry)))
  })

  it.each<[string, ReadonlyArray<SagaEntry>]>([
    ["a step before the start", [{ _tag: "StepCompleted", step: "a", output: null }]],
    ["a second completion", [start(), completed("a"), completed("a")]],
    ["a second intent for one attempt", [start(), begun("a", 1), begun("a", 1)]],
    ["an attempt out of order", [start(), begun("a", 2)]],
    ["another step while one is open", [start(), begun("a", 1), completed("b")]],
    ["undoing without turning back", [start(), completed("a"), { _tag: "StepUndone", step: "a" }]],
    ["undoing what was never begun", [start(), back(), { _tag: "StepUndone", step: "a" }]],
    [
      "undoing twice",
      [start(), completed("a"), back(), { _tag: "StepUndone", step: "a" }, { _tag: "StepUndone", step: "a" }]
    ],
    ["completing after turning back", [start(), back(), { _tag: "SagaEnded", end: "completed" }]],
    ["failing without turning back", [start(), { _tag: "SagaEnded", end: "failed" }]]
  ])("refuses %s", (_, log) => {
    const refused = fold(log)
    assert.isTrue(Result.isFailure(refused) && refused.failure.seq === log.length)
  })
})

function start(): SagaEntry {
  return { _tag: "SagaStarted", name: "s", definitionVersion: 1 }
}
function begun(step: string, attempt: number): SagaEntry {
  return { _tag: "StepStarted", step, attempt }
}
function completed(step: string): SagaEntry {
  return { _tag: "StepCompleted", step, output: null }
}
function back(): SagaEntry {
  return { _tag: "CompensationStarted", cause: "failed", reason: "r" }
}
