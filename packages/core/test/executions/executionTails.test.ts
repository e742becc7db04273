import { assert, describe, it } from "@effect/vitest"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { MemoryDatabase } from "@fairlead/core/storage/MemoryDatabase"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { WakeupWaiters } from "@fairlead/core/wakeups/WakeupWaiters"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as Tails from "../../src/executions/internal/executionTails.ts"

const id = ExecutionId.make("019a0000-0000-7000-8000-000000000001")
const wakeups = Wakeups.layerMemory.pipe(Layer.provide(MemoryDatabase.layer))
const tail = Effect.gen(function* () {
  const tails = yield* Tails.make(yield* WakeupWaiters)
  return yield* tails.of(id)
}).pipe(Effect.provide(Layer.provide(WakeupWaiters.layer, wakeups)))

/** An answer that counts how often it was asked for, and waits until it is let go. */
const makeAsked = Effect.gen(function* () {
  const held = yield* Deferred.make<void>()
  let asked = 0
  const ask = Effect.suspend(() => {
    const own = ++asked
    return Effect.as(Deferred.await(held), own)
  })
  return { ask, asked: () => asked, letGo: Deferred.succeed(held, undefined) }
})

describe("the tail of an execution", () => {
  it.effect("asks once for a hundred followers", () =>
    Effect.gen(function* () {
      const { shared } = (yield* tail).turn()
      const { ask, asked, letGo } = yield* makeAsked
      const followers = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 100 }, () => shared.get("events", ask)),
          { concurrency: 100 }
        )
      )
      yield* Effect.yieldNow
      yield* letGo
      assert.deepStrictEqual(new Set(yield* Fiber.join(followers)), new Set([1]))
      assert.strictEqual(asked(), 1)
    }).pipe(Effect.scoped)
  )

  it.effect("answers the others when the one who asked first goes away", () =>
    Effect.gen(function* () {
      const { shared } = (yield* tail).turn()
      const { ask, letGo } = yield* makeAsked
      const first = yield* Effect.forkChild(shared.get("events", ask), { startImmediately: true })
      const second = yield* Effect.forkChild(shared.get("events", ask), { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* letGo
      assert.strictEqual(yield* Fiber.join(second), 1)
    }).pipe(Effect.scoped)
  )

  it.effect("asks again after something may have changed", () =>
    Effect.gen(function* () {
      const { turn } = yield* tail
      const { ask, letGo } = yield* makeAsked
      yield* letGo
      const before = turn()
      assert.strictEqual(yield* before.shared.get("events", ask), 1)
      yield* TestClock.adjust("1 second")
      yield* before.over
      assert.strictEqual(yield* turn().shared.get("events", ask), 2)
    }).pipe(Effect.scoped)
  )
})
