/** What every store of idempotency keys promises: one execution per key and user, whoever comes at the same time. */
import { assert, it } from "@effect/vitest"
import type { IdempotencyClaim } from "@fairlead/core/executions/IdempotencyClaim"
import { IdempotencyStore } from "@fairlead/core/executions/IdempotencyStore"
import type { Stores } from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { DateTime, Deferred, Effect, Fiber, type Layer } from "effect"
import { instant } from "../fixtures/ExecutionFixtures.ts"
import { executionId, userId } from "../fixtures/Uuid.ts"
import { asFarAsItGets, liveSuite } from "./internal/eventually.ts"

/** Key `n` of user 1 for execution `n`. */
const claimOf = (n: number, change: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  ownerId: userId(1),
  key: `key ${n}`,
  requestHash: "hash",
  executionId: executionId(n),
  at: instant,
  ...change
})

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`IdempotencyStore (${name})`, (it) => {
    it.effect("claim takes a new key, and tells afterwards what took it and whether the request is the same", () =>
      Effect.gen(function* () {
        const { claim } = yield* IdempotencyStore
        assert.deepStrictEqual(yield* claim(claimOf(1)), { _tag: "New" })
        const known = { _tag: "Known", executionId: executionId(1), sameRequest: true } as const
        assert.deepStrictEqual(yield* claim(claimOf(1, { executionId: executionId(2) })), known)
        assert.deepStrictEqual(yield* claim(claimOf(1)), known)
        assert.deepStrictEqual(yield* claim(claimOf(1, { requestHash: "other" })), { ...known, sameRequest: false })
        assert.deepStrictEqual(yield* claim(claimOf(1, { ownerId: userId(2) })), { _tag: "New" })
        assert.deepStrictEqual(yield* claim(claimOf(1, { key: "key 1 " })), { _tag: "New" })
      })
    )

    it.effect("claim takes a key again after 24 hours, not before", () =>
      Effect.gen(function* () {
        const { claim } = yield* IdempotencyStore
        const after = (millis: number, n: number) =>
          claim(
            claimOf(11, { at: DateTime.add(instant, { hours: 24, milliseconds: millis }), executionId: executionId(n) })
          )
        yield* claim(claimOf(11))
        assert.deepInclude(yield* after(-1, 12), { _tag: "Known", executionId: executionId(11) })
        assert.deepStrictEqual(yield* after(0, 12), { _tag: "New" })
        assert.deepInclude(yield* after(1, 13), { _tag: "Known", executionId: executionId(12) })
      })
    )

    it.effect("expire forgets keys of 24 hours and more, and counts them", () =>
      Effect.gen(function* () {
        const { claim, expire } = yield* IdempotencyStore
        const old = (hours: number) => DateTime.subtract(instant, { hours: 1_000 + hours })
        const now = old(0)
        yield* expire(now)
        yield* claim(claimOf(21, { at: old(25) }))
        yield* claim(claimOf(22, { at: old(24) }))
        yield* claim(claimOf(23, { at: old(23) }))
        assert.strictEqual(yield* expire(now), 2)
        assert.strictEqual(yield* expire(now), 0)
        assert.deepInclude(yield* claim(claimOf(23, { at: now })), { _tag: "Known" })
      })
    )

    it.effect("of 20 claims of one key at once, one is new and the others name its execution", () =>
      Effect.gen(function* () {
        const { claim } = yield* IdempotencyStore
        const { transaction } = yield* Storage
        const rivals = Array.from({ length: 20 }, (_, i) => claimOf(31, { executionId: executionId(100 + i) }))
        const answers = yield* Effect.forEach(rivals, (rival) => transaction(claim(rival)), { concurrency: 20 })
        const winner = answers.findIndex(({ _tag }) => _tag === "New")
        for (const [i, answer] of answers.entries())
          assert.deepStrictEqual(
            answer,
            i === winner
              ? { _tag: "New" }
              : { _tag: "Known", executionId: executionId(100 + winner), sameRequest: true }
          )
      })
    )

    it.effect(
      "a rival waits for the transaction that took the key: known when it commits, new when it rolls back",
      () =>
        Effect.gen(function* () {
          const { claim } = yield* IdempotencyStore
          const { transaction } = yield* Storage
          for (const [n, end, expected] of [
            [41, Effect.void, "Known"],
            [42, Effect.fail("stop"), "New"]
          ] as const) {
            const [claimed, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
            const first = yield* claim(claimOf(n)).pipe(
              Effect.andThen(Deferred.succeed(claimed, undefined)),
              Effect.andThen(Deferred.await(release)),
              Effect.andThen(end),
              transaction,
              Effect.exit,
              Effect.forkChild
            )
            yield* Deferred.await(claimed)
            const second = yield* Effect.forkChild(
              transaction(claim(claimOf(n, { executionId: executionId(n + 100) })))
            )
            const early = yield* asFarAsItGets(second)
            assert.strictEqual(early._tag, "None")
            yield* Deferred.succeed(release, undefined)
            yield* Fiber.join(first)
            assert.strictEqual((yield* Fiber.join(second))._tag, expected)
          }
        })
    )
  })
