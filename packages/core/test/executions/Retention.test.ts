import { assert, describe, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import * as Retention from "@fairlead/core/executions/Retention"
import * as Stores from "@fairlead/core/Stores"
import { runningEvent } from "@fairlead/testing/fixtures/EventFixtures"
import { completedExecution, queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { DateTime, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"

/** What is left, of 250 executions that ended a day ago, one that ends later and one that has not ended, after some hours. */
const left = (days: number, hours: number) =>
  Effect.gen(function* () {
    const [store, log] = [yield* ExecutionStore, yield* EventLog]
    const now = yield* DateTime.now
    const at = (change: object) => DateTime.add(now, change)
    for (let n = 1; n <= 250; n++) yield* store.insert(completedExecution(n, { finishedAt: at({ days: -1 }) }))
    yield* store.insert(completedExecution(300, { finishedAt: at({ hours: -5 }) }))
    yield* store.insert(queuedExecution(301))
    yield* log.append("execution/1", [runningEvent(1)])
    yield* Layer.build(Retention.layer(days))
    yield* TestClock.adjust(`${hours} hours`)
    assert.strictEqual((yield* log.readStream("execution/1", { afterVersion: 0, limit: 9 })).length, 1)
    return (yield* store.list({ limit: 500, offset: 0 })).total
  }).pipe(Effect.scoped, Effect.provide(Layer.fresh(Stores.layerMemory)))

describe("Retention", () => {
  it.effect.each([
    { days: 2, hours: 1, expected: 252 },
    { days: 1, hours: 0, expected: 252 },
    { days: 1, hours: 1, expected: 2 },
    { days: 1, hours: 18, expected: 2 },
    { days: 1, hours: 20, expected: 1 },
    { days: 0, hours: 1_000, expected: 252 }
  ])(
    "of $days days leaves after $hours hours $expected of 252 executions, and every event",
    ({ days, expected, hours }) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* left(days, hours), expected)
      })
  )
})
