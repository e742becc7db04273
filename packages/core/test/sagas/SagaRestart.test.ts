import { assert, describe, it } from "@effect/vitest"
import type { SagaDefinition } from "@fairlead/core/sagas/SagaDefinition"
import { once } from "@fairlead/core/sagas/SagaDefinition"
import { fold, initial } from "@fairlead/core/sagas/SagaProgress"
import { restart, restartPoints } from "@fairlead/core/sagas/SagaRestart"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Option, Result, Schema } from "effect"
import { Answers, CancelAt, play, steps } from "./support/playedSaga.ts"

/** How many steps from the first on carry. */
const Reusable = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 }))

const definitionOf = (carrying: number): SagaDefinition => ({
  name: "s",
  version: 1,
  steps: steps.map(({ name }, i) => ({
    name,
    external: false,
    retry: once,
    reusable: i < carrying,
    run: () => Effect.succeed({})
  })),
  load: () => Effect.succeed(Option.none()),
  deadline: () => undefined,
  cleanup: () => Effect.void,
  finalize: () => Effect.succeed({})
})
const names = steps.map(({ name }) => name)

describe("restart", () => {
  it.prop(
    "gives a log that folds, with what was done before, and that goes on to the end from the wanted step",
    [Answers, CancelAt, Reusable],
    ([answers, cancelAt, carrying]) => {
      const { progress } = play(answers, cancelAt)
      const saga = createdSaga(1, { state: progress.state })
      const definition = definitionOf(carrying)
      for (const wanted of names) {
        const points = restartPoints(definition.steps, progress)
        const plan = restart(saga, definition, progress, wanted)
        assert.strictEqual(Result.isSuccess(plan), points.includes(wanted))
        if (Result.isFailure(plan)) {
          assert.deepInclude(plan.failure, { reason: "not_reusable", possibleFrom: points, fromStep: wanted })
          continue
        }
        const begun = Result.getOrThrow(fold(plan.success.entries))
        const before = names.slice(0, names.indexOf(wanted))
        assert.strictEqual(begun.state, "running")
        assert.deepStrictEqual(
          begun.completed,
          before.flatMap((name) => progress.completed.filter(({ step }) => step === name))
        )
        assert.isTrue(before.length <= carrying && before.every((name) => !progress.undone.includes(name)))
        const { log, progress: ended } = play([], null, begun)
        assert.strictEqual(ended.state, "completed")
        assert.isFalse(log.some((entry) => "step" in entry && before.includes(entry.step)))
      }
    }
  )

  it.prop(
    "without a step begins where the saga failed, or before it, never behind it",
    [Answers, CancelAt, Reusable],
    ([answers, cancelAt, carrying]) => {
      const { progress } = play(answers, cancelAt)
      const plan = restart(createdSaga(1, { state: progress.state }), definitionOf(carrying), progress, undefined)
      if (progress.state === "completed") return assert.isTrue(Result.isFailure(plan))
      const { fromStep, restartOf } = Result.getOrThrow(plan)
      const done = progress.completed.map(({ step }) => step)
      assert.strictEqual(restartOf, sagaId(1))
      assert.isAtMost(names.indexOf(fromStep), done.length)
    }
  )

  it("is refused while the saga is active, for a step that there is not, and without a definition", () => {
    const refusal = (state: "running" | "failed", known: boolean, step: string) =>
      Result.merge(restart(createdSaga(1, { state }), known ? definitionOf(4) : undefined, initial, step))
    assert.deepInclude(refusal("running", true, "validate"), { reason: "active", possibleFrom: [] })
    assert.deepInclude(refusal("failed", true, "nowhere"), { reason: "not_reusable", possibleFrom: ["validate"] })
    assert.deepInclude(refusal("failed", false, "validate"), { reason: "not_reusable", possibleFrom: [] })
  })
})
