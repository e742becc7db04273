import { assert, describe, it } from "@effect/vitest"
import * as CrowdLatch from "@fairlead/core/wakeups/CrowdLatch"
import { Effect, Fiber } from "effect"

/** A crowd that writes down who is woken. */
const crowd = (latch: CrowdLatch.CrowdLatch, size: number) => {
  const woken: Array<number> = []
  const wakes = Array.from({ length: size }, (_, i) => () => void woken.push(i))
  for (const wake of wakes) latch.join(wake)
  return { woken, wakes }
}

describe("a latch for a crowd", () => {
  it.effect("wakes each once, in the order in which they came, and lets others work in between", () =>
    Effect.gen(function* () {
      const latch = CrowdLatch.make()
      const { wakes, woken } = crowd(latch, 1_000)
      for (const wake of wakes) latch.join(wake)
      const opening = yield* Effect.forkChild(latch.open, { startImmediately: true })
      assert.isBelow(woken.length, 100)
      yield* Fiber.join(opening)
      yield* latch.open
      assert.deepStrictEqual(
        woken,
        wakes.map((_, i) => i)
      )
    })
  )

  it.effect("does not wake one who left, also while it opens", () =>
    Effect.gen(function* () {
      const latch = CrowdLatch.make()
      const { wakes, woken } = crowd(latch, 500)
      const [first, last] = [wakes.at(0), wakes.at(-1)]
      if (first !== undefined) latch.leave(first)
      const opening = yield* Effect.forkChild(latch.open, { startImmediately: true })
      if (last !== undefined) latch.leave(last)
      yield* Fiber.join(opening)
      assert.deepStrictEqual([woken.at(0), woken.at(-1), woken.length], [1, 498, 498])
    })
  )

  it.effect("lets through at once who comes when it is open", () =>
    Effect.gen(function* () {
      const latch = CrowdLatch.make()
      const waiting = yield* Effect.forkChild(latch.await, { startImmediately: true })
      assert.isFalse(latch.isOpen())
      yield* latch.open
      yield* Fiber.join(waiting)
      assert.isTrue(latch.isOpen())
      assert.deepStrictEqual(crowd(latch, 2).woken, [0, 1])
      yield* latch.await
    })
  )
})
