import { assert, describe, it } from "@effect/vitest"
import { Health } from "@fairlead/core/health/Health"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import type { RuntimeObstacle } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as Stores from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Context, Deferred, Effect, Fiber, Layer, Ref } from "effect"
import { TestClock } from "effect/testing"

const over = (check: Effect.Effect<void, StorageError>) =>
  Layer.unwrap(
    Effect.map(Storage, (storage) => Layer.succeed(Storage, Storage.of({ ...storage, durability: "disk", check })))
  ).pipe(Layer.provideMerge(Stores.layerMemory))
const health = (check: Effect.Effect<void, StorageError>) =>
  Layer.build(Health.layer.pipe(Layer.provide(over(check)), Layer.provide(ScriptRuntimes.layer))).pipe(
    Effect.flatMap((services) => Effect.provideContext(Health, services))
  )

describe("Health", () => {
  it.effect("is ready when every component answers", () =>
    Effect.gen(function* () {
      const { readiness } = yield* health(Effect.void)
      const found = yield* readiness
      assert.deepInclude(found, { ready: true, draining: false, durability: "disk" })
      assert.deepStrictEqual(
        found.components.map(({ name }) => name),
        ["database", "worker_queue"]
      )
    })
  )

  it.effect("is not ready when one fails, names the failure and not the driver's words", () =>
    Effect.gen(function* () {
      const away = new StorageError({ operation: "check", retryable: true, cause: new Error("password=hunter2") })
      const found = yield* (yield* health(Effect.fail(away))).readiness
      assert.isFalse(found.ready)
      assert.deepInclude(found.components[0], { name: "database", healthy: false, detail: "failed: StorageError" })
    })
  )

  it.effect("says what is the matter with a store that refuses writes or is away, and is ready again by itself", () =>
    Effect.gen(function* () {
      const failures = [
        ["read-only", "refuses writes: it is read-only"],
        ["full", "refuses writes: its disk is full"],
        ["unreachable", "cannot be reached"]
      ] as const
      const condition = yield* Ref.make<(typeof failures)[number][0] | undefined>(undefined)
      const { readiness } = yield* health(
        Effect.flatMap(Ref.get(condition), (found) =>
          found === undefined
            ? Effect.void
            : new StorageError({ operation: "check", retryable: true, condition: found, cause: new Error("hunter2") })
        )
      )
      for (const [found, detail] of failures) {
        yield* Ref.set(condition, found)
        yield* TestClock.adjust("1 second")
        assert.deepInclude((yield* readiness).components[0], { healthy: false, detail })
      }
      yield* Ref.set(condition, undefined)
      yield* TestClock.adjust("1 second")
      assert.isTrue((yield* readiness).ready)
    })
  )

  it.effect("says that a runtime starts nothing for want of disk, and is ready again by itself", () =>
    Effect.gen(function* () {
      const obstacle = yield* Ref.make<RuntimeObstacle | undefined>("disk")
      const { instance } = yield* MemoryScriptRuntime.makeNode()
      const runtime = { ...(yield* instance), obstacle: Ref.get(obstacle) }
      const runtimes = yield* Effect.provide(ScriptRuntimes, ScriptRuntimes.layer)
      yield* runtimes.register(runtime)
      const services = yield* Layer.build(
        Health.layer.pipe(Layer.provide(over(Effect.void)), Layer.provide(Layer.succeed(ScriptRuntimes, runtimes)))
      )
      const { readiness } = Context.get(services, Health)
      const found = yield* readiness
      assert.isFalse(found.ready)
      assert.include(found.components[2]?.detail, "less of its disk is free than is kept in reserve")
      yield* Ref.set(obstacle, undefined)
      yield* TestClock.adjust("1 second")
      assert.isTrue((yield* readiness).ready)
    }).pipe(Effect.scoped)
  )

  it.effect("waits for no store that lets nothing be interrupted, and asks it once until it has answered", () =>
    Effect.gen(function* () {
      const [asked, thawed] = [yield* Ref.make(0), yield* Deferred.make<void>()]
      const frozen = Effect.andThen(
        Ref.update(asked, (n) => n + 1),
        Effect.uninterruptible(Deferred.await(thawed))
      )
      const { readiness } = yield* health(frozen)
      for (let round = 0; round < 3; round++) {
        const waiting = yield* Effect.forkChild(readiness)
        yield* TestClock.adjust("3 seconds")
        assert.deepInclude((yield* Fiber.join(waiting)).components[0], { detail: "no answer within 2 s" })
      }
      assert.strictEqual(yield* Ref.get(asked), 1)
      yield* Deferred.succeed(thawed, undefined)
      yield* TestClock.adjust("1 second")
      assert.isTrue((yield* readiness).ready)
    })
  )

  it.effect("survives a component that dies, and one that never answers", () =>
    Effect.gen(function* () {
      assert.isFalse((yield* (yield* health(Effect.die("bug"))).readiness).ready)
      const waiting = yield* Effect.forkChild((yield* health(Effect.never)).readiness)
      yield* TestClock.adjust("2 seconds")
      const found = yield* Fiber.join(waiting)
      assert.deepInclude(found.components[0], {
        healthy: false,
        detail: "no answer within 2 s",
        responseTimeMillis: 2000
      })
    })
  )

  it.effect("asks once a second, however many want to know", () =>
    Effect.gen(function* () {
      const asked = yield* Ref.make(0)
      const { readiness } = yield* health(Ref.update(asked, (n) => n + 1))
      yield* Effect.all(
        Array.from({ length: 10 }, () => readiness),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(yield* Ref.get(asked), 1)
      yield* TestClock.adjust("1 second")
      yield* readiness
      assert.strictEqual(yield* Ref.get(asked), 2)
    })
  )

  it.effect("is not ready from the moment it drains, and counts its age", () =>
    Effect.gen(function* () {
      const { drain, readiness, uptimeSeconds } = yield* health(Effect.void)
      assert.isTrue((yield* readiness).ready)
      yield* drain
      assert.deepInclude(yield* readiness, { ready: false, draining: true })
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(yield* uptimeSeconds, 90)
    })
  )
})
