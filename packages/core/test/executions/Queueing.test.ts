/** How executions wait, are let in, tried again and given up: the whole core on memory, its clock in the hands of the tests. */

import { assert, describe } from "@effect/vitest"
import { executionSubject } from "@fairlead/core/ids/Subject"
import { QueuePolicy } from "@fairlead/core/queue/QueuePolicy"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import type { RuntimeObstacle } from "@fairlead/core/runtime/ScriptRuntime"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { DateTime, Effect, Option, Ref } from "effect"
import { now, pass, started, statuses, submitted, test } from "./support/LineHosts.ts"
import { alice, bob, lines, source, tagsOf } from "./support/MemoryHost.ts"

describe("The line", () => {
  test(
    "lets in as many as there are slots, and one user's many do not keep another waiting",
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      const many = yield* Effect.forEach(Array.from({ length: 6 }), () => submitted(executions, lines("sleep 4000")))
      yield* pass(1)
      assert.deepStrictEqual(yield* statuses(executions, many), [
        "running",
        "running",
        "queued",
        "queued",
        "queued",
        "queued"
      ])
      const single = yield* submitted(executions, lines("out mine"), bob)
      const entry = Option.getOrThrow(yield* (yield* QueueStore).find(single))
      assert.deepStrictEqual([entry.state, entry.nodeId], ["waiting", undefined])
      yield* pass(5)
      assert.strictEqual((yield* now(executions, single, bob)).status, "completed")
      yield* pass(12)
      assert.deepStrictEqual(new Set(yield* statuses(executions, many)), new Set(["completed"]))
      assert.strictEqual((yield* (yield* QueueStore).list({ limit: 10, offset: 0 })).total, 0)
    })
  )

  test(
    "runs executions of one key one after the other, and those of other keys beside them",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 5)
      const keyed = yield* Effect.forEach(["k", "k", "other"], (concurrencyKey) =>
        submitted(executions, lines("sleep 3000", { concurrencyKey }))
      )
      yield* pass(2)
      assert.deepStrictEqual(yield* statuses(executions, keyed), ["running", "queued", "running"])
      yield* pass(3)
      assert.deepStrictEqual(yield* statuses(executions, keyed), ["completed", "running", "completed"])
    })
  )

  test(
    "accepts what its place cannot start for want of disk, and lets it in when there is room again",
    Effect.gen(function* () {
      const { executions, runtimes } = yield* started("a")
      const obstacle = yield* Ref.make<RuntimeObstacle | undefined>("disk")
      for (const runtime of yield* runtimes.all) yield* runtimes.register({ ...runtime, obstacle: Ref.get(obstacle) })
      const ids = [yield* submitted(executions, lines("out a")), yield* submitted(executions, lines("out b"))]
      yield* pass(5)
      assert.deepStrictEqual(yield* statuses(executions, ids), ["queued", "queued"])
      yield* Ref.set(obstacle, undefined)
      yield* pass(2)
      assert.deepStrictEqual(yield* statuses(executions, ids), ["completed", "completed"])
    })
  )

  test(
    "starts nothing before its time, and ends as timeout what waited too long",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 1)
      const runAt = DateTime.add(yield* DateTime.now, { seconds: 5 })
      const later = yield* submitted(executions, lines("out later", { runAt }))
      const long = yield* submitted(executions, lines("sleep 8000"))
      const impatient = yield* submitted(executions, lines("out never", { ttlMillis: 3_000 }))
      yield* pass(5)
      assert.deepStrictEqual(yield* statuses(executions, [later, long, impatient]), ["queued", "running", "timeout"])
      const { outcome } = yield* now(executions, impatient)
      assert.strictEqual(outcome?.errorType, "timeout")
      yield* pass(6)
      const ran = yield* now(executions, later)
      assert.strictEqual(ran.status, "completed")
      assert.isTrue(ran.startedAt !== undefined && DateTime.isGreaterThanOrEqualTo(ran.startedAt, runAt))
    })
  )

  test(
    "keeps the limit of running scripts of a user",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 5)
      const mine = yield* Effect.forEach([1, 2], () => submitted(executions, lines("sleep 3000")))
      const theirs = yield* submitted(executions, lines("sleep 3000"), bob)
      yield* pass(2)
      assert.deepStrictEqual(yield* statuses(executions, mine), ["running", "queued"])
      assert.strictEqual((yield* now(executions, theirs, bob)).status, "running")
      yield* pass(4)
      assert.deepStrictEqual(yield* statuses(executions, mine), ["completed", "running"])
    }).pipe(Effect.provideService(QueuePolicy, { limits: { perUser: 1 }, ageingMillis: 60_000, ttlMillis: 86_400_000 }))
  )

  test(
    "ends what is cancelled while it waits, at once",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 1)
      yield* submitted(executions, lines("hang"))
      const waiting = yield* submitted(executions, lines("out never"))
      yield* executions.cancel(alice, waiting, "enough", source)
      yield* pass(1)
      assert.strictEqual((yield* now(executions, waiting)).status, "cancelled")
      assert.isTrue(Option.isNone(yield* (yield* QueueStore).find(waiting)))
    })
  )
})

describe("Another attempt", () => {
  const retryPolicy = { maxAttempts: 3, backoffMillis: 2_000, on: ["script_error" as const] }

  test(
    "follows a failure of a kind that the policy names, with a number and output of its own",
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      const id = yield* submitted(executions, lines("out try\nexit 7", { retryPolicy }))
      yield* pass(1)
      const first = yield* now(executions, id)
      assert.deepInclude(first, { status: "queued", attempt: 1 })
      yield* pass(12)
      const last = yield* executions.result(alice, id, 0)
      assert.deepInclude(last.execution, { status: "failed", attempt: 3 })
      assert.strictEqual(last.stdout, "try\n")
      assert.deepStrictEqual(
        last.execution.earlierAttempts?.map(({ attempt, outcome, status }) => [
          attempt,
          status,
          outcome.errorCause,
          outcome.stdoutBytes
        ]),
        [
          [1, "failed", "exit:7", 4],
          [2, "failed", "exit:7", 4]
        ]
      )
      const tags = yield* tagsOf(id)
      assert.strictEqual(tags.filter((tag) => tag === "ExecutionAttemptFailed").length, 2)
      assert.strictEqual(tags.filter((tag) => tag === "ExecutionFailed").length, 1)
      const { sagas } = yield* (yield* SagaStore).list({ subject: executionSubject(id), limit: 10, offset: 0 })
      assert.deepStrictEqual(
        sagas.map(({ state }) => state),
        ["completed", "completed", "completed"]
      )
    })
  )

  test(
    "does not follow a success, another kind of failure, or a cancellation",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 5)
      const ids = yield* Effect.forEach(["out fine", "exceed memory", "hang"], (script) =>
        submitted(executions, lines(script, { retryPolicy }))
      )
      yield* pass(1)
      yield* Effect.forEach(ids.slice(2), (id) => executions.cancel(alice, id, "enough", source))
      yield* pass(5)
      assert.deepStrictEqual(yield* statuses(executions, ids), ["completed", "failed", "cancelled"])
      const attempts = yield* Effect.forEach(ids, (id) => Effect.map(now(executions, id), ({ attempt }) => attempt))
      assert.deepStrictEqual(attempts, [1, 1, 1])
    })
  )

  test(
    "can be cancelled while it waits for its time, and keeps the output of the attempt before",
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      const patient = { ...retryPolicy, backoffMillis: 60_000 }
      const id = yield* submitted(executions, lines("out one\nexit 1", { retryPolicy: patient }))
      yield* pass(1)
      assert.strictEqual((yield* now(executions, id)).status, "queued")
      yield* executions.cancel(alice, id, "enough", source)
      yield* pass(1)
      const { execution, stdout } = yield* executions.result(alice, id, 0)
      assert.deepInclude(execution, { status: "cancelled", attempt: 1 })
      assert.strictEqual(stdout, "one\n")
    })
  )
})
