/** Newcomers whose concurrency key is taken: they queue, are skipped, or replace the others. */
import { assert, describe, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ConcurrencyPolicy, turnOf } from "@fairlead/core/executions/ConcurrencyPolicy"
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import { QueueState } from "@fairlead/core/queue/QueueEntry"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { waitingEntry } from "@fairlead/testing/fixtures/QueueFixtures"
import { DateTime, Effect, Option, Schema } from "effect"
import { now, pass, started, statuses, submitted, test } from "./support/LineHosts.ts"
import { alice, bob, lines, source, tagsOf } from "./support/MemoryHost.ts"

const keyed = (script: string, concurrencyPolicy: ConcurrencyPolicy, more: Partial<ExecutionRequest> = {}) =>
  lines(script, { concurrencyKey: "deploy", concurrencyPolicy, ...more })

describe("turnOf", () => {
  it.prop(
    "skips only behind somebody, replaces everybody, and never both",
    [ConcurrencyPolicy, Schema.Array(QueueState).check(Schema.isMaxLength(6))],
    ([policy, states]) => {
      const others = states.map((state, n) => waitingEntry(n, { state }))
      const turn = turnOf(policy, others)
      if (policy === "skip" && others.length > 0) {
        assert(turn._tag === "Skip")
        const running = others.some(({ state }) => state === "assigned" || state === "waiting")
        if (running) assert.include(["assigned", "waiting"], turn.holder.state)
        return
      }
      assert(turn._tag === "Enter")
      assert.deepStrictEqual(turn.replaced, policy === "replace" ? others : [])
    }
  )
})

describe("skip", () => {
  test(
    "ends at once as cancelled, names who has the key, and never enters the line",
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      const holder = yield* submitted(executions, keyed("sleep 3000", "skip"))
      yield* pass(1)
      const skipped = yield* executions.submit(alice, keyed("out never", "skip"), source)
      assert.strictEqual(skipped.status, "cancelled")
      const { outcome } = skipped
      assert.strictEqual(outcome?.errorCause, "skipped")
      assert.include(outcome?.errorMessage, holder)
      assert.isTrue(Option.isNone(yield* (yield* QueueStore).find(skipped.executionId)))
      assert.deepStrictEqual(yield* tagsOf(skipped.executionId), [
        "ExecutionRequested",
        "ExecutionCancelled",
        "ResultStored"
      ])
      // Another key, another user, and the same key once it is free.
      const other = yield* submitted(executions, { ...keyed("out other", "skip"), concurrencyKey: "test" })
      const theirs = yield* submitted(executions, keyed("out theirs", "skip"), bob)
      yield* pass(5)
      assert.deepStrictEqual(yield* statuses(executions, [holder, other]), ["completed", "completed"])
      assert.strictEqual((yield* now(executions, theirs, bob)).status, "completed")
      const next = yield* submitted(executions, keyed("out next", "skip"))
      yield* pass(2)
      assert.strictEqual((yield* now(executions, next)).status, "completed")
      const removed = executions.remove(
        { ...alice, grants: { "executions:admin": "own", "executions:delete": "own" } },
        skipped.executionId,
        source
      )
      yield* removed
    })
  )

  test(
    "of many at once on two hosts lets exactly one run",
    Effect.gen(function* () {
      const [a, b] = [yield* started("a"), yield* started("b")]
      const made = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? a : b)),
        ({ executions }) => executions.submit(alice, keyed("out once", "skip"), source),
        { concurrency: 10 }
      )
      assert.strictEqual(made.filter(({ status }) => status === "queued").length, 1)
      assert.strictEqual(made.filter(({ outcome }) => outcome?.errorCause === "skipped").length, 9)
    })
  )

  test(
    "gives the same answer to the same request again, and refuses the key for another policy",
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      yield* submitted(executions, keyed("hang", "queue"))
      const request = keyed("out never", "skip", { idempotencyKey: "i" })
      const [first, again] = [
        yield* executions.submit(alice, request, source),
        yield* executions.submit(alice, request, source)
      ]
      assert.deepStrictEqual([again.executionId, again.status], [first.executionId, "cancelled"])
      const other = executions.submit(alice, { ...request, concurrencyPolicy: "replace" }, source)
      assert.strictEqual((yield* Effect.flip(other))._tag, "IdempotencyKeyReused")
    })
  )
})

describe("replace", () => {
  test(
    "asks everybody else with the key to end, in the name of the system, and runs when they have",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 3)
      const running = yield* submitted(executions, keyed("hang", "queue"))
      const waiting = yield* submitted(executions, keyed("out never", "queue"))
      const runAt = DateTime.add(yield* DateTime.now, { hours: 1 })
      const delayed = yield* submitted(executions, keyed("out never", "queue", { runAt }))
      const theirs = yield* submitted(executions, keyed("hang", "queue"), bob)
      yield* pass(1)
      const last = yield* submitted(executions, keyed("out last", "replace"))
      yield* pass(5)
      const replaced = [running, waiting, delayed]
      assert.deepStrictEqual(yield* statuses(executions, replaced), ["cancelled", "cancelled", "cancelled"])
      assert.strictEqual((yield* now(executions, last)).status, "completed")
      assert.strictEqual((yield* now(executions, theirs, bob)).status, "running")
      for (const id of replaced) {
        const events = yield* (yield* EventLog).readStream(`execution/${id}`, { afterVersion: 0, limit: 100 })
        const cancelled = events.map(({ event }) => event).find((event) => event._tag === "ExecutionCancelled")
        assert.strictEqual(cancelled?.cancelledBy, "system")
        assert.include(cancelled?.reason, last)
      }
    })
  )

  test(
    "of many at once on two hosts lets the last one accepted run to its end, and cancels all others",
    Effect.gen(function* () {
      const [a, b] = [yield* started("a"), yield* started("b")]
      const made = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? a : b)),
        ({ executions }) => submitted(executions, keyed("sleep 1000\nout done", "replace")),
        { concurrency: 8 }
      )
      yield* pass(10)
      const ended = yield* statuses(a.executions, made)
      assert.deepStrictEqual(ended.toSorted(), [...Array.from({ length: 7 }, () => "cancelled"), "completed"])
    })
  )
})

describe("Executions.retry", () => {
  test(
    "takes retry policy and key over, and waits for its turn at once",
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      const retryPolicy = { maxAttempts: 2, backoffMillis: 0, on: ["script_error" as const] }
      const runAt = DateTime.add(yield* DateTime.now, { seconds: 2 })
      const first = yield* submitted(executions, keyed("exit 1", "skip", { retryPolicy, runAt, ttlMillis: 5_000 }))
      yield* pass(5)
      assert.strictEqual((yield* now(executions, first)).status, "failed")
      const holder = yield* submitted(executions, keyed("sleep 1000", "queue"))
      const again = yield* executions.retry(alice, first, source)
      assert.deepInclude(again, { status: "queued", retryPolicy, concurrencyKey: "deploy", retryOf: first })
      assert.isUndefined(again.runAt)
      assert.isTrue(
        again.expiresAt !== undefined && DateTime.isGreaterThan(again.expiresAt, DateTime.add(runAt, { hours: 1 }))
      )
      yield* pass(5)
      assert.deepStrictEqual(yield* statuses(executions, [holder, again.executionId]), ["completed", "failed"])
    })
  )
})

describe("A start that is asked for", () => {
  test(
    "more than a year ahead is refused; one that has passed means at once",
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      const at = (days: number) => Effect.map(DateTime.now, (time) => DateTime.add(time, { days }))
      const far = executions.submit(alice, lines("out x", { runAt: yield* at(366) }), source)
      assert.strictEqual((yield* Effect.flip(far))._tag, "RunAtTooFar")
      const past = yield* executions.submit(alice, lines("out x", { runAt: yield* at(-1) }), source)
      assert.isUndefined(past.runAt)
      const near = yield* executions.submit(alice, lines("out x", { runAt: yield* at(364) }), source)
      assert.isDefined(near.runAt)
      yield* pass(1)
      assert.strictEqual((yield* now(executions, past.executionId)).status, "completed")
    })
  )
})
