import { assert, describe, it } from "@effect/vitest"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import * as Stores from "@fairlead/core/Stores"
import { StorageError } from "@fairlead/core/storage/StorageError"
import * as Faults from "@fairlead/testing/faults/Faults"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { executionId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"

const error = new StorageError({ operation: "test", retryable: true, cause: "test" })
const provide = (fault: Layer.Layer<ExecutionStore, never, ExecutionStore>) =>
  Effect.provide(Layer.provideMerge(fault, Stores.layerMemory))

const stored = Effect.fnUntraced(function* (n: number) {
  return Option.isSome(yield* (yield* ExecutionStore).find(executionId(n)))
})

describe("Faults", () => {
  it.effect("failBefore hits only the call it names, which then has done nothing", () =>
    Effect.gen(function* () {
      const store = yield* ExecutionStore
      yield* store.insert(queuedExecution(1))
      assert.strictEqual(yield* Effect.flip(store.insert(queuedExecution(2))), error)
      yield* store.insert(queuedExecution(3))
      assert.deepStrictEqual([yield* stored(1), yield* stored(2), yield* stored(3)], [true, false, true])
    }).pipe(provide(Faults.layer(ExecutionStore, "insert", 2, Faults.failBefore(error))))
  )

  it.effect("failAfter fails a call that was done", () =>
    Effect.gen(function* () {
      const store = yield* ExecutionStore
      assert.strictEqual(yield* Effect.flip(store.insert(queuedExecution(1))), error)
      assert.isTrue(yield* stored(1))
    }).pipe(provide(Faults.layer(ExecutionStore, "insert", 1, Faults.failAfter(error))))
  )

  it.effect("delay lets the call wait, and layerEvery hits as many as it says", () =>
    Effect.gen(function* () {
      const store = yield* ExecutionStore
      const fiber = yield* Effect.forkChild(store.insert(queuedExecution(1)), { startImmediately: true })
      assert.isFalse(yield* stored(1))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.isTrue(yield* stored(1))
    }).pipe(provide(Faults.layerEvery(ExecutionStore, "insert", () => true, Faults.delay("1 second"))))
  )
})
