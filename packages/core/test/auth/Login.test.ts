import { assert, describe, it } from "@effect/vitest"
import { SessionStore } from "@fairlead/core/auth/sessions/SessionStore"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { User } from "@fairlead/core/auth/users/User"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import { Users } from "@fairlead/core/auth/users/Users"
import { EventLog } from "@fairlead/core/events/EventLog"
import * as Stores from "@fairlead/core/Stores"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, Exit, Fiber, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import {
  callerOf,
  eventsOf,
  HasherProbe,
  hostOver,
  identity,
  loggedIn,
  password,
  refusal,
  registered,
  secret,
  tagsOf,
  twoHosts
} from "./support/identity.ts"

const times = (n: number) => Array.from({ length: n }, (_, i) => i)
const instance = Effect.provide(identity)
const failures = "auth/failures"

/** Writes the user again with this change. */
const changeUser = Effect.fnUntraced(function* (user: User, change: Partial<typeof User.Type>) {
  const store = yield* UserStore
  const { user: known } = Option.getOrThrow(yield* store.find(user.userId))
  assert.isTrue(yield* store.replace(new User({ ...known, ...change, version: known.version + 1 })))
})

describe("Sessions.login", () => {
  it.effect("counts failures by name and by address of one user together", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tags = yield* Effect.forEach(
        ["ada", "ada@example.com", "ADA", "ada@example.com", "Ada@example.com", "ada", "ada@example.com"],
        (login) => refusal(login, "wrong")
      )
      assert.deepStrictEqual(tags, [...times(5).map(() => "CredentialsRejected"), "LoginLocked", "LoginLocked"])
    }).pipe(instance)
  )

  it.effect("takes the name or the address in any case, and says who came", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const user = yield* registered("Ada")
      for (const login of ["Ada", "aDA", "ada@EXAMPLE.com"]) {
        const tokens = yield* sessions.login(login, secret(password), source())
        assert.strictEqual(tokens.user.userId, user.userId)
        assert.deepStrictEqual([tokens.accessTokenSeconds, tokens.cookieTokenSeconds], [3_600, 86_400])
        const bearer = yield* sessions.authenticate("bearer", tokens.accessToken)
        assert.deepInclude(bearer, { userId: user.userId, username: "Ada", role: "user" })
        assert.deepStrictEqual(bearer.credential, { _tag: "Bearer", sessionId: tokens.sessionId })
        const cookie = yield* sessions.authenticate("cookie", tokens.cookieToken)
        assert.deepStrictEqual(cookie.credential, { _tag: "Cookie", sessionId: tokens.sessionId })
      }
      const loggedIn = { _tag: "UserLoggedIn", userId: user.userId, loginMethod: "password" } as const
      const events = yield* eventsOf(`user/${user.userId}`)
      assert.deepStrictEqual(
        events.slice(1),
        times(3).map(() => ({ ...loggedIn, ipAddress: "192.0.2.1", userAgent: "test" }))
      )
    }).pipe(instance)
  )

  it.effect("stores a bounded source, also of one that reads its request lazily", () => {
    class Lazy {
      readonly correlationId = "c-1"
      get ipAddress() {
        return "1".repeat(1_000)
      }
      get userAgent() {
        return "u".repeat(20_000)
      }
    }
    return Effect.gen(function* () {
      const user = yield* registered("ada")
      const { sessionId } = yield* loggedIn("ada", new Lazy())
      const source = { ipAddress: "1".repeat(64), userAgent: "u".repeat(500) }
      const { readStream } = yield* EventLog
      const [, stored] = yield* readStream(`user/${user.userId}`, { afterVersion: 0, limit: 10 })
      assert.deepInclude(stored?.event, source)
      assert.deepInclude(stored?.metadata, { ...source, correlationId: "c-1", userId: user.userId })
      const session = Option.getOrThrow(yield* (yield* SessionStore).find(sessionId))
      assert.deepInclude({ ...session }, source)
    }).pipe(instance)
  })

  it.effect("notes when the user came last", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      yield* TestClock.adjust("5 seconds")
      const caller = yield* Effect.flatMap(loggedIn("ada"), callerOf)
      const self = yield* (yield* Users).self(caller)
      assert.strictEqual(self.lastLoginAt?.epochMilliseconds, 5_000)
    }).pipe(instance)
  )

  it.effect("gives one answer, for one check of a hash each, to whatever is wrong", () =>
    Effect.gen(function* () {
      const { counts } = yield* HasherProbe
      yield* registered("ada")
      yield* changeUser(yield* registered("gone"), { isActive: false })
      const attempts = [
        ["ada", "wrong"],
        ["nobody", password],
        ["nobody@example.com", password],
        ["gone", password],
        ["", password],
        ["a\u0000b", password],
        ["x".repeat(10_000), password],
        ["ada", password.toUpperCase()]
      ] as const
      for (const [i, [name, text]] of attempts.entries()) {
        assert.strictEqual(yield* refusal(name, text), "CredentialsRejected")
        assert.strictEqual(counts.verified, i + 1)
      }
    }).pipe(instance)
  )

  it.effect("records a failure without what was typed for a name, unless it is one", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      yield* refusal("ADA", "wrong-guess")
      yield* refusal("my-typed-password", "x")
      const expected = { _tag: "AuthFailed", reason: "credentials_rejected", ipAddress: "192.0.2.1" } as const
      assert.deepStrictEqual(yield* eventsOf(failures), [
        { ...expected, username: "ada" },
        { ...expected, username: null }
      ])
      const log = JSON.stringify(yield* (yield* EventLog).readAll(undefined, 1_000))
      for (const typed of ["wrong-guess", "my-typed-password", password]) assert.notInclude(log, typed)
    }).pipe(instance)
  )

  it.effect.each(["ada", "nobody"])(
    "locks %s after five failures, refuses the right password, and opens again",
    (name) =>
      Effect.gen(function* () {
        const { counts } = yield* HasherProbe
        yield* registered("ada")
        for (const _ of times(5)) assert.strictEqual(yield* refusal(name, "wrong"), "CredentialsRejected")
        yield* TestClock.adjust("899 seconds")
        const locked = yield* Effect.flip((yield* Sessions).login(name, secret(password), source()))
        assert.deepInclude(locked, { _tag: "LoginLocked", retryAfterSeconds: 1 })
        assert.strictEqual(counts.verified, 5)
        yield* TestClock.adjust("1 second")
        if (name === "ada") yield* loggedIn("ada")
        else assert.strictEqual(yield* refusal(name, password), "CredentialsRejected")
        const tags = yield* tagsOf(failures)
        assert.deepStrictEqual(tags.slice(0, 6), [...times(5).map(() => "AuthFailed"), "SecurityViolation"])
      }).pipe(instance)
  )

  it.effect("forgives the failures before a success", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      for (const _ of times(3)) {
        for (const _ of times(4)) assert.strictEqual(yield* refusal("ada", "wrong"), "CredentialsRejected")
        yield* loggedIn("ada")
      }
    }).pipe(instance)
  )

  it.effect("counts strangers apart from an address where the user was, and both to five", () =>
    Effect.gen(function* () {
      const [home, stranger] = [source("192.0.2.1"), source("203.0.113.9")]
      yield* registered("ada")
      yield* loggedIn("ada", home)
      for (const _ of times(5)) yield* refusal("ada", "wrong", stranger)
      assert.strictEqual(yield* refusal("ada", password, stranger), "LoginLocked")
      assert.strictEqual(yield* refusal("ada", password, source("203.0.113.10")), "LoginLocked")
      yield* loggedIn("ada", home)
      for (const _ of times(5)) yield* refusal("ada", "wrong", home)
      assert.strictEqual(yield* refusal("ada", password, home), "LoginLocked")
    }).pipe(instance)
  )

  it.effect("a lock leaves the sessions of the user alone", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      for (const _ of times(6)) yield* refusal("ada", "wrong")
      yield* callerOf(tokens)
      yield* (yield* Sessions).refresh(tokens.refreshToken, source())
    }).pipe(instance)
  )

  it.effect("50 guesses at once, on two hosts, cost five checks", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      yield* registered("ada").pipe(Effect.provideContext(a))
      const guess = (n: number) => refusal("ada", `guess ${n}`).pipe(Effect.provideContext(n % 2 === 0 ? a : b))
      const answers = yield* Effect.forEach(times(50), guess, { concurrency: 50 })
      assert.strictEqual(answers.filter((tag) => tag === "CredentialsRejected").length, 5)
      assert.isTrue(answers.every((tag) => ["CredentialsRejected", "LoginLocked", "LoginsBusy"].includes(tag)))
      const { counts } = yield* Effect.provideContext(HasherProbe, a)
      assert.strictEqual(counts.verified, 5)
    }).pipe(Effect.scoped)
  )

  it.effect("the right password at once from many places, on two hosts, is refused to none", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      const { gate } = yield* Effect.provideContext(HasherProbe, a)
      yield* registered("ada").pipe(Effect.provideContext(a))
      yield* gate.close
      const logins = yield* Effect.forEach(times(20), (n) =>
        Effect.forkChild(Effect.exit(loggedIn("ada").pipe(Effect.provideContext(n % 2 === 0 ? a : b))))
      )
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      yield* gate.open
      assert.isTrue((yield* Effect.forEach(logins, Fiber.join)).every(Exit.isSuccess))
    }).pipe(Effect.scoped)
  )

  it.effect("checks four passwords at once and refuses those beyond the line before any work", () =>
    Effect.gen(function* () {
      const { counts, gate } = yield* HasherProbe
      yield* Effect.forEach(times(50), (n) => registered(`user-${n}`))
      counts.mostAtOnce = 0
      yield* gate.close
      const attempts = yield* Effect.forEach(times(50), (n) => Effect.forkChild(Effect.exit(loggedIn(`user-${n}`))))
      const busy = () => attempts.filter((fiber) => fiber.pollUnsafe() !== undefined).length
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => busy() >= 14, times: 1_000 }))
      assert.strictEqual(counts.mostAtOnce, 4)
      assert.strictEqual(busy(), 14)
      yield* gate.open
      const exits = yield* Effect.forEach(attempts, Fiber.join)
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 36)
      assert.strictEqual(counts.mostAtOnce, 4)
      yield* loggedIn("user-49")
    }).pipe(Effect.provide(hostOver(Stores.layerMemory, { passwordsWaiting: 32 })))
  )

  it.effect("a caller that leaves does not make room for a fifth check", () =>
    Effect.gen(function* () {
      const { counts, gate } = yield* HasherProbe
      yield* Effect.forEach(times(6), (n) => registered(`user-${n}`))
      counts.mostAtOnce = 0
      yield* gate.close
      const attempts = yield* Effect.forEach(times(4), (n) => Effect.forkChild(loggedIn(`user-${n}`)))
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => counts.atOnce === 4, times: 1_000 }))
      const draining = yield* Effect.forEach(attempts, (fiber) => Effect.forkChild(Fiber.interrupt(fiber)))
      const next = yield* Effect.forkChild(loggedIn("user-5"))
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      assert.strictEqual(counts.atOnce, 4)
      yield* gate.open
      yield* Effect.forEach(draining, Fiber.join)
      yield* Fiber.join(next)
      assert.strictEqual(counts.mostAtOnce, 4)
    }).pipe(instance)
  )

  it.effect("makes an outdated hash anew, once", () =>
    Effect.gen(function* () {
      const { counts } = yield* HasherProbe
      const store = yield* UserStore
      const user = yield* registered("ada")
      const weak = Redacted.make(`memory$0$${password}-weak`)
      yield* store.replace(new User({ ...user, version: 2 }), weak)
      counts.hashed = 0
      const login = Effect.flatMap(Sessions, ({ login }) => login("ada", secret(`${password}-weak`), source()))
      yield* login
      assert.strictEqual(counts.hashed, 1)
      const { passwordHash } = Option.getOrThrow(yield* store.find(user.userId))
      assert.notStrictEqual(Redacted.value(passwordHash), Redacted.value(weak))
    }).pipe(instance)
  )

  it.effect("opens nothing for a password that was changed while it was checked", () =>
    Effect.gen(function* () {
      const { counts, gate } = yield* HasherProbe
      const store = yield* UserStore
      const user = yield* registered("ada")
      counts.verified = 0
      yield* gate.close
      const login = yield* Effect.forkChild(refusal("ada", password))
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => counts.verified === 1, times: 1_000 }))
      yield* store.replace(new User({ ...user, version: 2 }), secret("memory$0$another"))
      yield* gate.open
      assert.strictEqual(yield* Fiber.join(login), "CredentialsRejected")
    }).pipe(instance)
  )
})
