import { assert, describe, it } from "@effect/vitest"
import type { LoggedEntry, SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { historyOf, type PublicOutput } from "@fairlead/core/sagas/SagaHistory"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime } from "effect"
import { Answers, CancelAt, failure, now, play } from "./support/playedSaga.ts"

const at = (seconds: number) => DateTime.add(now, { seconds })
const logOf = (entries: ReadonlyArray<SagaEntry>, fence = 1): ReadonlyArray<LoggedEntry> =>
  entries.map((entry, i) => ({ seq: i + 1, fence, executor: "host-a", at: at(i), entry }))
const nothing: PublicOutput = () => null

describe("historyOf", () => {
  it.prop(
    "tells of every step what the fold knows, attempts without gaps",
    [Answers, CancelAt],
    ([answers, cancelAt]) => {
      const { log, progress } = play(answers, cancelAt)
      const { ended, runs } = historyOf(logOf(log), nothing)
      const stepsOf = (direction: string, result: string) =>
        runs.filter((run) => run.direction === direction && run.result === result).map(({ step }) => step)
      assert.deepStrictEqual(
        stepsOf("run", "completed"),
        progress.completed.map(({ step }) => step)
      )
      assert.deepStrictEqual(stepsOf("undo", "completed"), progress.undone)
      assert.strictEqual(runs.filter(({ result }) => result === "failed").length, progress.failures)
      assert.strictEqual(ended?.end, progress.state)
      const seen = new Map<string, number>()
      for (const { attempt, direction, step } of runs) {
        const name = `${direction} ${step}`
        assert.strictEqual(attempt, (seen.get(name) ?? 0) + 1)
        seen.set(name, attempt)
      }
    }
  )

  it("gives times, failures, retries, fence and driver of each attempt", () => {
    const entries: ReadonlyArray<SagaEntry> = [
      { _tag: "SagaStarted", name: "s", definitionVersion: 1 },
      { _tag: "StepStarted", step: "start", attempt: 1 },
      { _tag: "StepFailed", step: "start", attempt: 1, failure, retryAt: at(5) },
      { _tag: "StepStarted", step: "start", attempt: 2 },
      { _tag: "StepCompleted", step: "start", output: { secret: "s", size: 3 } }
    ]
    const history = historyOf(logOf(entries), (step) => `shown of ${step}`)
    const by = { fence: 1, executor: "host-a", step: "start", direction: "run" as const }
    assert.deepStrictEqual(history, {
      startedAt: at(0),
      runs: [
        { ...by, attempt: 1, result: "failed", begunAt: at(1), endedAt: at(2), output: null, failure, retryAt: at(5) },
        { ...by, attempt: 2, result: "completed", begunAt: at(3), endedAt: at(4), output: "shown of start" }
      ]
    })
    assert.notInclude(JSON.stringify(history), "secret")
  })

  it("says of a restarted saga where it comes from, and what it did not do itself", () => {
    const entries: ReadonlyArray<SagaEntry> = [
      { _tag: "SagaStarted", name: "s", definitionVersion: 1, restartOf: sagaId(7), fromStep: "start" },
      { _tag: "StepCompleted", step: "validate", output: null }
    ]
    const { fromStep, restartOf, runs } = historyOf(logOf(entries, 0), nothing)
    assert.deepStrictEqual([restartOf, fromStep, runs[0]?.result], [sagaId(7), "start", "reused"])
  })
})
