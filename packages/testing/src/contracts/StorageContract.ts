/** What every unit of work promises: all of it or nothing, whichever way it ends. */
import { assert, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import type { Stores } from "@fairlead/core/Stores"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Deferred, Effect, Exit, Fiber, type Layer, Option } from "effect"
import { runningEvent } from "../fixtures/EventFixtures.ts"
import { queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

/** Writes number `n` to three stores. */
const writes = Effect.fnUntraced(function* (n: number) {
  yield* (yield* ExecutionStore).insert(queuedExecution(n))
  yield* (yield* SagaStore).insert(createdSaga(n))
  yield* (yield* EventLog).append(`storage/${n}`, [runningEvent(n)])
})

/** How many of the three writes are there. */
const written = Effect.fnUntraced(function* (n: number) {
  const execution = yield* (yield* ExecutionStore).find(executionId(n))
  const saga = yield* (yield* SagaStore).find(sagaId(n))
  const events = yield* (yield* EventLog).readStream(`storage/${n}`, { afterVersion: 0, limit: 10 })
  return Number(Option.isSome(execution)) + Number(Option.isSome(saga)) + events.length
})

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`Storage (${name})`, (it) => {
    it.effect("transaction commits what was written to every store, and answers with the work's value", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        assert.strictEqual(yield* storage.transaction(Effect.as(writes(1), "done")), "done")
        assert.strictEqual(yield* written(1), 3)
      })
    )

    it.effect("transaction sees its own writes, and leaves none when the work fails", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        const work = Effect.gen(function* () {
          yield* writes(2)
          assert.strictEqual(yield* written(2), 3)
          return yield* Effect.fail("stop")
        })
        assert.strictEqual(yield* Effect.flip(storage.transaction(work)), "stop")
        assert.strictEqual(yield* written(2), 0)
      })
    )

    it.effect("transaction leaves nothing when the work dies", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        const exit = yield* Effect.exit(storage.transaction(Effect.andThen(writes(3), Effect.die("bug"))))
        assert.isTrue(Exit.hasDies(exit))
        assert.strictEqual(yield* written(3), 0)
      })
    )

    it.effect("transaction leaves nothing when it is interrupted, and the next one goes on", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        const wrote = yield* Deferred.make<void>()
        const work = writes(4).pipe(Effect.andThen(Deferred.succeed(wrote, undefined)), Effect.andThen(Effect.never))
        const fiber = yield* Effect.forkChild(storage.transaction(work))
        yield* Deferred.await(wrote)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* written(4), 0)
        yield* storage.transaction(writes(4))
        assert.strictEqual(yield* written(4), 3)
      })
    )

    it.effect("transactions interrupted at any point leave all or nothing, and the next one goes on", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        const numbers = Array.from({ length: 60 }, (_, i) => 200 + i)
        for (const n of numbers) {
          const fiber = yield* Effect.forkChild(storage.transaction(writes(n)))
          for (let i = 0; i < n - 200; i++) yield* Effect.yieldNow
          // The later half is cut off while the database works.
          if (n >= 230) yield* Effect.timeoutOption(Fiber.await(fiber), (n - 230) / 4)
          yield* Fiber.interrupt(fiber)
        }
        const found = yield* Effect.forEach(numbers, written)
        assert.deepStrictEqual(
          found.filter((count) => count !== 0 && count !== 3),
          []
        )
        yield* storage.transaction(writes(299))
        assert.strictEqual(yield* written(299), 3)
      })
    )

    it.effect("a nested transaction that fails takes back only its own writes", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        yield* storage.transaction(
          Effect.gen(function* () {
            yield* writes(5)
            yield* Effect.ignore(storage.transaction(Effect.andThen(writes(6), Effect.fail("stop"))))
            yield* storage.transaction(writes(7))
          })
        )
        assert.deepStrictEqual([yield* written(5), yield* written(6), yield* written(7)], [3, 0, 3])
      })
    )

    it.effect("a nested transaction that succeeded goes down with the outer one", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        const work = storage.transaction(writes(8)).pipe(Effect.andThen(writes(9)), Effect.andThen(Effect.fail("stop")))
        assert.strictEqual(yield* Effect.flip(storage.transaction(work)), "stop")
        assert.deepStrictEqual([yield* written(8), yield* written(9)], [0, 0])
      })
    )

    it.effect("an existing id inside a nested transaction dies, and the outer one may go on", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        yield* writes(10)
        const exits = yield* storage.transaction(
          Effect.gen(function* () {
            const exit = yield* Effect.exit(storage.transaction(writes(10)))
            yield* writes(11)
            return exit
          })
        )
        assert.isTrue(Exit.hasDies(exits))
        assert.deepStrictEqual([yield* written(10), yield* written(11)], [3, 3])
      })
    )

    it.effect("50 transactions at once all commit, each by itself", () =>
      Effect.gen(function* () {
        const storage = yield* Storage
        const numbers = Array.from({ length: 50 }, (_, i) => 100 + i)
        const odd = (n: number) => (n % 2 === 1 ? Effect.fail("odd") : Effect.void)
        yield* Effect.forEach(numbers, (n) => Effect.exit(storage.transaction(Effect.andThen(writes(n), odd(n)))), {
          concurrency: 50
        })
        const found = yield* Effect.forEach(numbers, written)
        assert.deepStrictEqual(
          found,
          numbers.map((n) => (n % 2 === 1 ? 0 : 3))
        )
      })
    )

    it.effect("check passes", () => Effect.flatMap(Storage, ({ check }) => check))
  })
