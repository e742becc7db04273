/** What every store of login attempts promises: it counts as `LoginAttempts.charge` says, whoever charges at the same time. */
import { assert, it } from "@effect/vitest"
import { LoginAttemptStore } from "@fairlead/core/auth/users/LoginAttemptStore"
import { charge, isLocked, type LoginAttempts } from "@fairlead/core/auth/users/LoginAttempts"
import type { Stores } from "@fairlead/core/Stores"
import { Effect, type Layer } from "effect"
import { liveSuite } from "./internal/eventually.ts"

const policy = { failures: 5, windowMillis: 900_000 }
const start = 1_767_225_600_000

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`LoginAttemptStore (${name})`, (it) => {
    it.effect("charge counts like the pure function, step by step through windows and locks", () =>
      Effect.gen(function* () {
        const store = yield* LoginAttemptStore
        // Milliseconds between the attempts: within one window, up to a lock, at both of its ends, over a window's end.
        const steps = [0, 1, 1_000, 899_998, 1, 1, 0, 100, 100, 899_000, 799, 1, 5, 5, 5, 5, 5, 5, 900_000, 3]
        let known: LoginAttempts | undefined
        let now = start
        for (const [i, step] of steps.entries()) {
          now += step
          known = charge(known, now, policy)
          assert.deepStrictEqual(yield* store.charge("steps", now, policy), known, `step ${i}`)
        }
      })
    )

    it.effect("of 50 attempts at once exactly as many are let through as the policy allows", () =>
      Effect.gen(function* () {
        const store = yield* LoginAttemptStore
        const attempts = Array.from({ length: 50 }, (_, n) => start + n)
        const charged = yield* Effect.forEach(attempts, (now) => store.charge("burst", now, policy), {
          concurrency: 50
        })
        assert.strictEqual(charged.filter((attempt) => !isLocked(attempt, policy)).length, policy.failures)
      })
    )

    it.effect("clear forgets one key", () =>
      Effect.gen(function* () {
        const store = yield* LoginAttemptStore
        for (const key of ["a", "a", "b"]) yield* store.charge(key, start, policy)
        yield* store.clear("a")
        yield* store.clear("nobody")
        assert.strictEqual((yield* store.charge("a", start, policy)).count, 1)
        assert.strictEqual((yield* store.charge("b", start, policy)).count, 2)
      })
    )

    it.effect("prune forgets what ended by then, and counts it", () =>
      Effect.gen(function* () {
        const store = yield* LoginAttemptStore
        const ancient = 1_000_000
        yield* store.prune(ancient)
        for (const n of [0, 1, 2]) yield* store.charge(`old ${n}`, ancient - policy.windowMillis + n - 1, policy)
        assert.strictEqual(yield* store.prune(ancient), 2)
        assert.strictEqual(yield* store.prune(ancient), 0)
        assert.strictEqual((yield* store.charge("old 2", ancient, policy)).count, 2)
      })
    )
  })
