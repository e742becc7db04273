import { assert, describe, it } from "@effect/vitest"
import { QueueState } from "@fairlead/core/queue/QueueEntry"
import { positionOf } from "@fairlead/core/queue/QueueEstimates"
import { loadOf, PauseScope, retrySeconds } from "@fairlead/core/queue/QueueLoad"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { second, waitingEntry } from "@fairlead/testing/fixtures/QueueFixtures"
import { userId } from "@fairlead/testing/fixtures/Uuid"
import { Schema } from "effect"

const Small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const States = Schema.Array(QueueState).check(Schema.isMaxLength(8))
const Paused = Schema.Array(PauseScope).check(Schema.isMaxLength(2))

/** Each entry of the user whose number is its index modulo 2. */
const queueOf = (states: typeof States.Type, paused: typeof Paused.Type) =>
  loadOf(
    states.map((state, n) => waitingEntry(n, { state, ownerId: userId(n % 2) })),
    new Set(paused)
  )

describe("retrySeconds", () => {
  it.prop(
    "is 1 to 300 whatever the line is",
    [States, Paused, Small(100), Schema.UndefinedOr(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)))],
    ([states, paused, capacity, mean]) => {
      for (const owner of [undefined, userId(0)]) {
        const seconds = retrySeconds(queueOf(states, paused), owner, capacity, mean)
        assert.isTrue(Number.isInteger(seconds) && seconds >= 1 && seconds <= 300, `${seconds}`)
      }
    }
  )

  it("is the time until one of those that count ends", () => {
    const running = queueOf(["assigned", "assigned", "assigned", "waiting"], [])
    // Two of user 0 run and one of user 1.
    assert.strictEqual(retrySeconds(running, undefined, 10, 60_000), 20)
    assert.strictEqual(retrySeconds(running, userId(0), 10, 60_000), 30)
    assert.strictEqual(retrySeconds(running, userId(1), 10, 60_000), 60)
    // Nothing of user 0 runs: one has to start first, behind what runs.
    assert.strictEqual(retrySeconds(queueOf(["waiting", "assigned"], []), userId(0), 1, 60_000), 120)
    assert.strictEqual(retrySeconds(queueOf(["waiting"], ["all"]), undefined, 1, 60_000), 300)
    assert.strictEqual(retrySeconds(queueOf(["assigned"], ["all"]), undefined, 1, 60_000), 60)
    assert.strictEqual(retrySeconds(running, undefined, 10, undefined), 5)
  })
})

describe("standingOf", () => {
  const estimate = { ahead: 2, waitSeconds: 7 }

  it("adds the delay to the wait", () => {
    const delayed = waitingEntry(1, { state: "delayed", runAt: second(30) })
    assert.deepStrictEqual(positionOf(delayed, estimate, queueOf([], []), instant), {
      state: "delayed",
      priority: 5,
      position: 3,
      ahead: 2,
      waitSeconds: 37
    })
    assert.strictEqual(positionOf(delayed, estimate, queueOf([], []), second(31)).waitSeconds, 7)
  })

  it("knows no wait behind a pause or a key, or before any script has ended", () => {
    const entry = waitingEntry(1)
    assert.isUndefined(positionOf(entry, estimate, queueOf([], ["process"]), instant).waitSeconds)
    assert.strictEqual(positionOf(entry, estimate, queueOf([], ["docker"]), instant).waitSeconds, 7)
    const blocked = waitingEntry(1, { state: "blocked", concurrencyKey: "k" })
    assert.isUndefined(positionOf(blocked, estimate, queueOf([], []), instant).waitSeconds)
    assert.isUndefined(positionOf(entry, { ...estimate, waitSeconds: undefined }, queueOf([], []), instant).waitSeconds)
  })
})
