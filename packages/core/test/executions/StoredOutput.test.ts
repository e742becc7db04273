import { assert, describe, it } from "@effect/vitest"
import { AdmissionPolicy } from "@fairlead/core/executions/AdmissionPolicy"
import { noOutput } from "@fairlead/core/executions/Execution"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { StoredOutput } from "@fairlead/core/executions/StoredOutput"
import * as Stores from "@fairlead/core/Stores"
import { completedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { executionId, userId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"

const owner = userId(1)
const bytes = Effect.flatMap(StoredOutput, (stored) => stored.bytesOf(owner))
const insert = (n: number, stdoutBytes: number) =>
  Effect.flatMap(ExecutionStore, (store) =>
    store.insert(completedExecution(n, { ownerId: owner, outcome: { ...noOutput, stdoutBytes } }))
  )

const withQuota = (maxStoredOutputBytesPerUser: number) =>
  StoredOutput.layer.pipe(
    Layer.provideMerge(Layer.fresh(Stores.layerMemory)),
    Layer.provide(
      Layer.effect(
        AdmissionPolicy,
        Effect.map(AdmissionPolicy, (policy) => ({ ...policy, maxStoredOutputBytesPerUser }))
      )
    )
  )

describe("StoredOutput", () => {
  it.effect("asks the store once in 30 s for a user who has room", () =>
    Effect.gen(function* () {
      yield* insert(1, 10)
      assert.strictEqual(yield* bytes, 10)
      yield* insert(2, 10)
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* bytes, 10)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* bytes, 20)
    }).pipe(Effect.provide(withQuota(100)))
  )

  it.effect("asks once a second for a user who has none, since others may have deleted something", () =>
    Effect.gen(function* () {
      yield* insert(1, 100)
      assert.strictEqual(yield* bytes, 100)
      yield* (yield* ExecutionStore).remove(executionId(1))
      assert.strictEqual(yield* bytes, 100)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* bytes, 0)
    }).pipe(Effect.provide(withQuota(100)))
  )

  it.effect("asks at once after a deletion", () =>
    Effect.gen(function* () {
      yield* insert(1, 100)
      assert.strictEqual(yield* bytes, 100)
      yield* (yield* ExecutionStore).remove(executionId(1))
      yield* (yield* StoredOutput).deleted(owner)
      assert.strictEqual(yield* bytes, 0)
    }).pipe(Effect.provide(withQuota(100)))
  )

  it.effect("asks nobody without a quota", () =>
    Effect.gen(function* () {
      yield* insert(1, 100)
      assert.strictEqual(yield* bytes, 0)
    }).pipe(Effect.provide(withQuota(0)))
  )
})
