import { assert, describe, it } from "@effect/vitest"
import { QueueState } from "@fairlead/core/queue/QueueEntry"
import { standingOf } from "@fairlead/core/queue/QueueForecast"
import { loadOf, PauseScope, retrySeconds } from "@fairlead/core/queue/QueueLoad"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { second, waitingEntry } from "@fairlead/testing/fixtures/QueueFixtures"
import { userId } from "@fairlead/testing/fixtures/Uuid"
import { Schema } from "effect"

const Small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const States = Schema.Array(QueueState).check(Schema.isMaxLength(8))
const Paused = Schema.Array(PauseScope).check(Schema.isMaxLength(2))

/** Each entry of the user whose number is its index modulo 2. */
const lineOf = (states: typeof States.Type, paused: typeof Paused.Type) =>
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
        const seconds = retrySeconds(lineOf(states, paused), owner, capacity, mean)
        assert.isTrue(Number.isInteger(seconds) && seconds >= 1 && seconds <= 300, `${seconds}`)
      }
    }
  )

  it("is the time until one of those that count ends", () => {
    const running = lineOf(["admitted", "admitted", "admitted", "waiting"], [])
    // Two of user 0 run and one of user 1.
    assert.strictEqual(retrySeconds(running, undefined, 10, 60_000), 20)
    assert.strictEqual(retrySeconds(running, userId(0), 10, 60_000), 30)
    assert.strictEqual(retrySeconds(running, userId(1), 10, 60_000), 60)
    // Nothing of user 0 runs: one has to start first, behind what runs.
    assert.strictEqual(retrySeconds(lineOf(["waiting", "admitted"], []), userId(0), 1, 60_000), 120)
    assert.strictEqual(retrySeconds(lineOf(["waiting"], ["all"]), undefined, 1, 60_000), 300)
    assert.strictEqual(retrySeconds(lineOf(["admitted"], ["all"]), undefined, 1, 60_000), 60)
    assert.strictEqual(retrySeconds(running, undefined, 10, undefined), 5)
  })
})

describe("standingOf", () => {
  const outlook = { ahead: 2, waitSeconds: 7 }

  it("adds the delay to the wait", () => {
    const delayed = waitingEntry(1, { state: "delayed", runAt: second(30) })
    assert.deepStrictEqual(standingOf(delayed, outlook, lineOf([], []), instant), {
      state: "delayed",
      priority: 5,
      position: 3,
      ahead: 2,
      waitSeconds: 37
    })
    assert.strictEqual(standingOf(delayed, outlook, lineOf([], []), second(31)).waitSeconds, 7)
  })

  it("knows no wait behind a pause or a key, or before any script has ended", () => {
    const entry = waitingEntry(1)
    assert.isUndefined(standingOf(entry, outlook, lineOf([], ["process"]), instant).waitSeconds)
    assert.strictEqual(standingOf(entry, outlook, lineOf([], ["docker"]), instant).waitSeconds, 7)
    const blocked = waitingEntry(1, { state: "blocked", concurrencyKey: "k" })
    assert.isUndefined(standingOf(blocked, outlook, lineOf([], []), instant).waitSeconds)
    assert.isUndefined(standingOf(entry, { ...outlook, waitSeconds: undefined }, lineOf([], []), instant).waitSeconds)
  })
})
