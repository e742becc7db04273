import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Ref } from "effect"
import { PersistedQueue } from "effect/persistence"
import { TestClock } from "effect/testing"
import { canary } from "../src/internal/canary.ts"

const stores = PersistedQueue.layer.pipe(Layer.provideMerge(PersistedQueue.layerStoreMemory))

/** The real queues, whose items stop coming out while `stuck` says so. */
const queuesThatStick = Effect.fnUntraced(function* (stuck: Ref.Ref<boolean>) {
  const store = yield* PersistedQueue.PersistedQueueStore
  const take: typeof store.take = (options) =>
    Effect.flatMap(Ref.get(stuck), (isStuck) => (isStuck ? Effect.never : store.take(options)))
  return yield* PersistedQueue.makeFactory.pipe(
    Effect.provideService(PersistedQueue.PersistedQueueStore, { ...store, take })
  )
})

describe("canary", () => {
  it.effect("passes while items come through, fails 35 s after the last one, and passes again", () =>
    Effect.gen(function* () {
      const stuck = yield* Ref.make(false)
      const check = yield* canary(yield* queuesThatStick(stuck))
      yield* TestClock.adjust("60 seconds")
      yield* check
      yield* Ref.set(stuck, true)
      yield* TestClock.adjust("30 seconds")
      yield* check
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* Effect.flip(check), { operation: "SagaEngine.check", retryable: true })
      yield* Ref.set(stuck, false)
      yield* TestClock.adjust("20 seconds")
      yield* check
    }).pipe(Effect.scoped, Effect.provide(stores))
  )
})
