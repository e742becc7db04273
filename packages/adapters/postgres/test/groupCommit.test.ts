/** Requests that come together are done together, and each gets its own answer. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import * as GroupCommit from "../src/internal/groupCommit.ts"

/** Doubles numbers. The first step waits until it is let go. */
const doubling = Effect.fnUntraced(function* (maxSize: number) {
  const [begun, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const steps: Array<ReadonlyArray<number>> = []
  const ask = GroupCommit.make({
    maxSize,
    maxSteps: 1,
    commit: Effect.fnUntraced(function* (numbers: ReadonlyArray<number>) {
      steps.push(numbers)
      yield* Deferred.succeed(begun, undefined)
      yield* Deferred.await(go)
      return numbers.map((n) => 2 * n)
    })
  })
  return { ask, begun: Deferred.await(begun), go: Deferred.succeed(go, undefined), steps }
})

describe("GroupCommit", () => {
  it.effect("does at one go what comes while a step is under way, up to its size, and answers each", () =>
    Effect.gen(function* () {
      const { ask, begun, go, steps } = yield* doubling(3)
      const first = yield* Effect.forkChild(ask(2))
      yield* begun
      const rest = yield* Effect.forkChild(Effect.forEach([4, 5, 6, 8], ask, { concurrency: 4 }))
      yield* Effect.yieldNow
      yield* go
      assert.strictEqual(yield* Fiber.join(first), 4)
      assert.deepStrictEqual(yield* Fiber.join(rest), [8, 10, 12, 16])
      assert.deepStrictEqual(steps, [[2], [4, 5, 6], [8]])
    })
  )

  it.effect("does not do what was taken back before its step began", () =>
    Effect.gen(function* () {
      const { ask, begun, go, steps } = yield* doubling(3)
      const first = yield* Effect.forkChild(ask(2))
      yield* begun
      const [kept, gone] = [yield* Effect.forkChild(ask(4)), yield* Effect.forkChild(ask(6))]
      yield* Effect.yieldNow
      yield* Fiber.interrupt(gone)
      yield* go
      assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(kept)], [4, 8])
      assert.deepStrictEqual(steps, [[2], [4]])
      assert.strictEqual(yield* ask(10), 20)
    })
  )

  it.effect("fails for all who were in a step, and goes on", () =>
    Effect.gen(function* () {
      let broken = true
      const ask = GroupCommit.make({
        maxSize: 10,
        maxSteps: 1,
        commit: (numbers: ReadonlyArray<number>) => (broken ? Effect.die("bug") : Effect.succeed(numbers))
      })
      const ends = yield* Effect.forEach([1, 2, 3], (n) => Effect.exit(ask(n)), { concurrency: 3 })
      assert.deepStrictEqual(ends.map(Exit.hasDies), [true, true, true])
      broken = false
      assert.strictEqual(yield* ask(2), 2)
    })
  )
})
