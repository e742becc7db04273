/** What the simulation found about the line and its cancellations, each as the smallest case. */
import { assert, describe } from "@effect/vitest"
import { AdmissionStore } from "@fairlead/core/executions/AdmissionStore"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { StorageError } from "@fairlead/core/storage/StorageError"
import * as Faults from "@fairlead/testing/faults/Faults"
import { Effect, Fiber } from "effect"
import { now, pass, started, statuses, submitted, test } from "./support/LineHosts.ts"
import { alice, lines, source } from "./support/MemoryHost.ts"

describe("The line", () => {
  const assigned = Effect.gen(function* () {
    const { entries } = yield* (yield* QueueStore).list({ state: "assigned", limit: 10, offset: 0 })
    return entries.map(({ executionId }) => executionId)
  })
  let late = false
  test(
    "lets in no more than there are slots, also while the store is late to tell what runs",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 1)
      yield* submitted(executions, lines("sleep 1000"))
      late = true
      const waiting = yield* submitted(executions, lines("hang"))
      const letIn = Effect.map(assigned, (ids) => ids.includes(waiting))
      yield* Effect.repeat(Effect.andThen(pass(0), letIn), { until: (done) => done, times: 40 })
      assert.deepStrictEqual(yield* assigned, [waiting])
      yield* pass(0.75)
      yield* submitted(executions, lines("hang"))
      assert.deepStrictEqual(yield* assigned, [waiting])
    }).pipe(Effect.provide(Faults.layerEvery(QueueStore, "assignedTo", () => late, Faults.delay("2 seconds"))))
  )

  const unreachable = new StorageError({ operation: "test", retryable: true, cause: "test" })
  const failsOnce = (key: string | undefined) =>
    Effect.gen(function* () {
      const { executions } = yield* started("a", 1)
      const request = lines("sleep 1000", key === undefined ? {} : { idempotencyKey: key })
      yield* Effect.flip(submitted(executions, request))
      const next = yield* submitted(executions, lines("sleep 1000"))
      assert.deepStrictEqual(yield* assigned, [next])
    }).pipe(Effect.provide(Faults.layer(AdmissionStore, "createStarted", 1, Faults.failBefore(unreachable))))

  test("keeps no slot for an execution that could not be stored", failsOnce(undefined))
  test("keeps no slot for an execution whose transaction fails", failsOnce("k"))

  test(
    "goes on with an execution that was stored although its client was told otherwise",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 1)
      yield* Effect.flip(submitted(executions, lines("out once")))
      const [id] = yield* assigned
      yield* pass(12)
      assert.deepInclude(yield* now(executions, id ?? assert.fail()), { status: "completed", attempt: 1 })
    }).pipe(Effect.provide(Faults.layer(AdmissionStore, "createStarted", 1, Faults.failAfter(unreachable))))
  )

  test(
    "keeps the key of an execution that is repeated",
    Effect.gen(function* () {
      const { executions } = yield* started("a", 5)
      const first = yield* submitted(executions, lines("out quick", { concurrencyKey: "k" }))
      yield* pass(1)
      const second = yield* submitted(executions, lines("hang", { concurrencyKey: "k" }))
      yield* pass(1)
      const { executionId: repeated } = yield* executions.retry(alice, first, source)
      yield* pass(2)
      assert.deepStrictEqual(yield* statuses(executions, [second, repeated]), ["running", "queued"])
    })
  )
})

describe("A cancellation that meets the end of an attempt", () => {
  const retryPolicy = { maxAttempts: 2, backoffMillis: 10_000, on: ["script_error" as const] }
  /** Runs a script that fails after 1.5 s, and asks for its cancellation while one call, made after that, comes late. */
  const crossing = (isLate: { value: boolean }, askAfterSeconds: number) =>
    Effect.gen(function* () {
      const { executions } = yield* started("a")
      const id = yield* submitted(executions, lines("sleep 1500\nexit 7", { retryPolicy }))
      yield* pass(0.25)
      isLate.value = true
      yield* pass(askAfterSeconds)
      const asking = yield* Effect.forkChild(executions.cancel(alice, id, "enough", source))
      yield* pass(5)
      assert.isTrue((yield* Fiber.join(asking)).requested)
      assert.isFalse(isLate.value)
      assert.deepInclude(yield* now(executions, id), { status: "cancelled", attempt: 1 })
    })
  const once = (flag: { value: boolean }) => () => {
    const hit = flag.value
    flag.value = false
    return hit
  }
  const [lateEnd, lateAnswer] = [{ value: false }, { value: false }]

  test(
    "holds for the attempt that follows",
    Effect.provide(
      crossing(lateEnd, 1),
      Faults.layerEvery(Storage, "transaction", once(lateEnd), Faults.delay("2 seconds"))
    )
  )

  test(
    "is asked of the attempt that follows, when the one before has ended meanwhile",
    Effect.provide(
      crossing(lateAnswer, 0),
      Faults.layerEvery(SagaStore, "list", once(lateAnswer), (call) =>
        Effect.tap(call, () => Effect.sleep("2 seconds"))
      )
    )
  )
})
