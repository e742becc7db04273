import { assert, describe, it } from "@effect/vitest"
import { RunSlots } from "@fairlead/core/executions/RunSlots"
import { executionId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Exit, Fiber, Scope } from "effect"

const withSlots = <A, E>(maximum: number, work: Effect.Effect<A, E, RunSlots | Scope.Scope>) =>
  Effect.provide(Effect.scoped(work), RunSlots.layer(maximum))

/** Joins in a scope of its own and writes its number down once it is let in. */
const enter = Effect.fnUntraced(function* (n: number, priority: number, entered: Array<number>) {
  const scope = yield* Scope.make()
  const slot = yield* Scope.provide((yield* RunSlots).join(executionId(n), priority), scope)
  const fiber = yield* Effect.forkChild(
    Effect.andThen(
      slot.granted,
      Effect.sync(() => entered.push(n))
    )
  )
  yield* Effect.yieldNow
  return { ahead: slot.ahead, fiber, leave: Scope.close(scope, Exit.void) }
})

describe("RunSlots", () => {
  it.effect("lets in as many as there are slots, then by priority, then in order", () =>
    withSlots(
      2,
      Effect.gen(function* () {
        const entered: Array<number> = []
        const first = yield* enter(1, 5, entered)
        const second = yield* enter(2, 5, entered)
        const normal = yield* enter(3, 5, entered)
        const low = yield* enter(4, 8, entered)
        const high = yield* enter(5, 1, entered)
        assert.deepStrictEqual([first.ahead, second.ahead, normal.ahead, low.ahead, high.ahead], [0, 0, 1, 2, 1])
        for (const { leave } of [first, second, high]) yield* Effect.andThen(leave, Effect.yieldNow)
        yield* Effect.forEach([normal.fiber, high.fiber, low.fiber], Fiber.join)
        assert.deepStrictEqual(entered, [1, 2, 5, 3, 4])
      })
    )
  )

  it.effect("gives the place in the line back when a waiting one leaves", () =>
    withSlots(
      1,
      Effect.gen(function* () {
        const entered: Array<number> = []
        const first = yield* enter(1, 5, entered)
        const second = yield* enter(2, 5, entered)
        const third = yield* enter(3, 5, entered)
        yield* second.leave
        yield* first.leave
        yield* Fiber.join(third.fiber)
        assert.deepStrictEqual(entered, [1, 3])
        assert.deepStrictEqual(yield* (yield* RunSlots).usage, { running: 1, waiting: 0, maximum: 1 })
      })
    )
  )

  it.effect("counts what runs already beyond the limit, and lets nobody in before that is gone", () =>
    withSlots(
      1,
      Effect.gen(function* () {
        const slots = yield* RunSlots
        const entered: Array<number> = []
        yield* slots.hold(executionId(1))
        yield* slots.hold(executionId(2))
        const waiting = yield* enter(3, 0, entered)
        yield* Effect.andThen(slots.release(executionId(1)), Effect.yieldNow)
        assert.deepStrictEqual(entered, [])
        yield* slots.release(executionId(2))
        yield* Fiber.join(waiting.fiber)
        assert.deepStrictEqual(entered, [3])
      })
    )
  )
})
