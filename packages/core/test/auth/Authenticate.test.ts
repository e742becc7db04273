import { assert, describe, it } from "@effect/vitest"
import { SessionStore } from "@fairlead/core/auth/sessions/SessionStore"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import { User } from "@fairlead/core/auth/users/User"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import * as Stores from "@fairlead/core/Stores"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import * as Faults from "@fairlead/testing/faults/Faults"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, type Fiber, Layer, Option, type Redacted } from "effect"
import { TestClock } from "effect/testing"
import { callerOf, goodTokens, hostOver, identity, loggedIn, registered, secret, twoHosts } from "./support/identity.ts"

const instance = Effect.provide(identity)
const storageError = new StorageError({ operation: "test", retryable: true, cause: "test" })
const all = { bearer: true, cookie: true }
const none = { bearer: false, cookie: false }

const refresh = (token: Redacted.Redacted) => Effect.flatMap(Sessions, (sessions) => sessions.refresh(token, source()))
const refused = (token: Redacted.Redacted) => Effect.map(Effect.flip(refresh(token)), ({ _tag }) => _tag)
const logout = (tokens: SessionTokens) =>
  Effect.flatMap(Sessions, (sessions) => sessions.logout(tokens.sessionId, source()))

describe("Sessions.authenticate", () => {
  it.effect("refuses each kind in the place of the other, and a token after its end and the skew", () =>
    Effect.gen(function* () {
      const { authenticate } = yield* Sessions
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      assert.strictEqual((yield* Effect.flip(authenticate("cookie", tokens.accessToken)))._tag, "TokenRejected")
      assert.strictEqual((yield* Effect.flip(authenticate("bearer", tokens.cookieToken)))._tag, "TokenRejected")
      for (const garbage of ["", "x", "x".repeat(100_000), "\u0000"])
        assert.strictEqual((yield* Effect.flip(authenticate("bearer", secret(garbage))))._tag, "TokenRejected")
      assert.deepStrictEqual(yield* goodTokens(tokens), all)
      yield* TestClock.adjust("3659 seconds")
      assert.deepStrictEqual(yield* goodTokens(tokens), all)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* goodTokens(tokens), { bearer: false, cookie: true })
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* goodTokens(tokens), none)
    }).pipe(instance)
  )

  it.effect("refuses inactive users and tells a new role, once a hint or five seconds have passed", () =>
    Effect.gen(function* () {
      const [users, wakeups] = [yield* UserStore, yield* Wakeups]
      const user = yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      const change = Effect.fnUntraced(function* (next: Partial<typeof User.Type>) {
        const { user: known } = Option.getOrThrow(yield* users.find(user.userId))
        yield* users.replace(new User({ ...known, ...next, version: known.version + 1 }))
      })
      assert.strictEqual((yield* callerOf(tokens)).role, "user")
      yield* change({ role: "operator" })
      assert.strictEqual((yield* callerOf(tokens)).role, "user")
      yield* TestClock.adjust("5 seconds")
      const caller = yield* callerOf(tokens)
      assert.deepStrictEqual([caller.role, caller.grants["executions:read"]], ["operator", "all"])
      yield* change({ isActive: false })
      yield* wakeups.send(`user/${user.userId}`)
      const left = yield* goodTokens(tokens).pipe(Effect.repeat({ until: ({ bearer }) => !bearer, times: 100 }))
      assert.deepStrictEqual(left, none)
      assert.strictEqual(yield* refused(tokens.refreshToken), "TokenRejected")
    }).pipe(instance)
  )

  it.effect("asks the store once in five seconds, whoever comes at the same time", () => {
    const reads = { sessions: 0 }
    const counted = Layer.effect(
      SessionStore,
      Effect.map(SessionStore, (store) => ({
        ...store,
        find: (id) =>
          Effect.suspend(() => {
            reads.sessions++
            return store.find(id)
          })
      }))
    )
    return Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      for (const _ of [1, 2]) {
        reads.sessions = 0
        yield* Effect.all(
          Array.from({ length: 100 }, () => callerOf(tokens)),
          { concurrency: 100 }
        )
        yield* TestClock.adjust("4999 millis")
        yield* callerOf(tokens)
        assert.strictEqual(reads.sessions, 1)
        yield* TestClock.adjust("1 millis")
      }
    }).pipe(Effect.provide(hostOver(Layer.provideMerge(counted, Stores.layerMemory))))
  })

  it.effect("says that the store is away rather than that the token is bad, and recovers", () => {
    const away = Faults.layer(SessionStore, "find", 1, Faults.failBefore(storageError))
    return Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      assert.strictEqual((yield* Effect.flip(callerOf(tokens)))._tag, "StorageError")
      yield* callerOf(tokens)
    }).pipe(Effect.provide(hostOver(Layer.provideMerge(away, Stores.layerMemory))))
  })

  it.effect("forgets everything when hints were lost", () =>
    Effect.gen(function* () {
      const [store, wakeups] = [yield* SessionStore, yield* Wakeups]
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      const { expiresAt } = Option.getOrThrow(yield* store.find(tokens.sessionId))
      assert.deepStrictEqual(yield* goodTokens(tokens), all)
      yield* store.prune(expiresAt)
      assert.deepStrictEqual(yield* goodTokens(tokens), all)
      yield* wakeups.send("wakeups/lost")
      const left = yield* goodTokens(tokens).pipe(Effect.repeat({ until: ({ bearer }) => !bearer, times: 100 }))
      assert.deepStrictEqual(left, none)
    }).pipe(instance)
  )
})

describe("Sessions.awaitRevocation", () => {
  const waiting = Effect.fnUntraced(function* (tokens: SessionTokens) {
    const caller = yield* callerOf(tokens)
    const fiber = yield* Effect.forkChild(Effect.flatMap(Sessions, (sessions) => sessions.awaitRevocation(caller)))
    yield* Effect.repeat(Effect.yieldNow, { times: 20 })
    assert.isUndefined(fiber.pollUnsafe())
    return fiber
  })
  const settled = (fiber: Fiber.Fiber<void>) =>
    Effect.sync(() => fiber.pollUnsafe() !== undefined).pipe(
      Effect.tap(Effect.yieldNow),
      Effect.repeat({ until: (done) => done, times: 200 })
    )

  it.effect("ends with the session, on every host, and not with another session", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      yield* registered("ada").pipe(Effect.provideContext(a))
      const [tokens, other] = yield* Effect.all([loggedIn("ada"), loggedIn("ada")]).pipe(Effect.provideContext(a))
      const onA = yield* waiting(tokens).pipe(Effect.provideContext(a))
      const onB = yield* waiting(tokens).pipe(Effect.provideContext(b))
      yield* logout(other).pipe(Effect.provideContext(a))
      assert.deepStrictEqual([yield* settled(onA), yield* settled(onB)], [false, false])
      yield* logout(tokens).pipe(Effect.provideContext(a))
      assert.deepStrictEqual([yield* settled(onA), yield* settled(onB)], [true, true])
    }).pipe(Effect.scoped)
  )

  it.effect("ends with the token, a refresh notwithstanding", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      const fiber = yield* waiting(tokens)
      yield* refresh(tokens.refreshToken)
      yield* TestClock.adjust("3659 seconds")
      assert.isFalse(yield* settled(fiber))
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* settled(fiber))
    }).pipe(instance)
  )

  it.effect("ends when the user gets another role, even if no hint says so", () =>
    Effect.gen(function* () {
      const user = yield* registered("ada")
      const fiber = yield* waiting(yield* loggedIn("ada"))
      const users = yield* UserStore
      yield* users.replace(new User({ ...user, role: "viewer", version: 2 }))
      assert.isFalse(yield* settled(fiber))
      yield* TestClock.adjust("30 seconds")
      assert.isTrue(yield* settled(fiber))
    }).pipe(instance)
  )

  it.effect("returns at once for a session that has ended", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      const caller = yield* callerOf(tokens)
      yield* logout(tokens)
      yield* (yield* Sessions).awaitRevocation(caller)
    }).pipe(instance)
  )
})
