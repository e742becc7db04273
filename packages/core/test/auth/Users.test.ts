import { assert, describe, it } from "@effect/vitest"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { User } from "@fairlead/core/auth/users/User"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import { Users } from "@fairlead/core/auth/users/Users"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, Equal, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import {
  callerOf,
  eventsOf,
  goodTokens,
  identity,
  keyOwner,
  loggedIn,
  newUser,
  password,
  refusal,
  registered,
  secret,
  tagsOf,
  twoHosts
} from "./support/identity.ts"

const instance = Effect.provide(identity)
const next = "Another-Horse-8"

const change = (caller: Parameters<Users["Service"]["self"]>[0], current: string, to: string) =>
  Effect.flatMap(Users, (users) =>
    users.changePassword(caller, { current: secret(current), next: secret(to) }, source())
  )
const times = (n: number) => Array.from({ length: n }, (_, i) => i)

describe("Users.ensure", () => {
  it.effect("makes the user with the role once, and leaves whoever has the name as they are", () =>
    Effect.gen(function* () {
      const users = yield* Users
      assert.isTrue(yield* users.ensure(newUser(), "admin"))
      const { user } = yield* (yield* Sessions).login("ada", secret(password), source())
      assert.strictEqual(user.role, "admin")
      assert.isFalse(yield* users.ensure(newUser({ username: "ADA" }), "viewer"))
      assert.isFalse(yield* users.ensure(newUser({ username: "other" }), "viewer"))
      assert.isTrue(Equal.equals((yield* users.self(yield* adminCaller)).role, "admin"))
      assert.deepStrictEqual((yield* tagsOf(`user/${user.userId}`)).slice(0, 1), ["UserRegistered"])
    }).pipe(instance)
  )

  const adminCaller = Effect.flatMap(
    Effect.flatMap(Sessions, ({ login }) => login("ada", secret(password), source())),
    callerOf
  )

  it.effect("refuses a weak password, and then makes nobody", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const weak = yield* Effect.flip(users.ensure(newUser({ password: secret("password1") }), "admin"))
      assert.deepInclude(weak, { _tag: "PasswordTooWeak", rules: ["too_common"] })
      assert.isTrue(yield* users.ensure(newUser(), "admin"))
    }).pipe(instance)
  )

  it.effect("of hosts that start at once, one makes the user", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const made = yield* Effect.forEach(times(10), () => users.ensure(newUser(), "admin"), { concurrency: 10 })
      assert.strictEqual(made.filter((one) => one).length, 1)
    }).pipe(instance)
  )
})

describe("Users.updateProfile", () => {
  it.effect("writes the full name and records it; the same name again is nothing", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const { userId } = yield* registered("ada")
      const caller = yield* Effect.flatMap(loggedIn("ada"), callerOf)
      for (const _ of [1, 2]) {
        const user = yield* users.updateProfile(caller, { fullName: "Ada L." }, source())
        assert.deepInclude({ ...user }, { fullName: "Ada L.", version: 2, role: "user" })
        assert.isTrue(Equal.equals(yield* users.updateProfile(caller, {}, source()), yield* users.self(caller)))
      }
      const events = (yield* eventsOf(`user/${userId}`)).filter(({ _tag }) => _tag === "UserUpdated")
      assert.deepStrictEqual(events, [{ _tag: "UserUpdated", userId, updatedFields: ["full_name"], updatedBy: userId }])
    }).pipe(instance)
  )

  it.effect("loses nothing when ten come at once", () =>
    Effect.gen(function* () {
      const users = yield* Users
      yield* registered("ada")
      const caller = yield* Effect.flatMap(loggedIn("ada"), callerOf)
      const update = (n: number) => Effect.result(users.updateProfile(caller, { fullName: `name ${n}` }, source()))
      const results = yield* Effect.forEach(times(10), update, { concurrency: 10 })
      const written = results.filter(({ _tag }) => _tag === "Success").length
      assert.strictEqual((yield* users.self(caller)).version, 1 + written)
    }).pipe(instance)
  )
})

describe("Users.changePassword", () => {
  it.effect("ends all other sessions, refresh tokens and API keys, and keeps the caller's session", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { userId } = yield* registered("ada")
      yield* registered("bob")
      const [own, other, bobs] = [yield* loggedIn("ada"), yield* loggedIn("ada"), yield* loggedIn("bob")]
      const caller = yield* callerOf(own)
      const { key } = yield* (yield* ApiKeys).create(caller, { name: "k" }, source())
      assert.deepStrictEqual(yield* goodTokens(other), { bearer: true, cookie: true })
      yield* change(caller, password, next)
      assert.deepStrictEqual(yield* goodTokens(own), { bearer: true, cookie: true })
      assert.deepStrictEqual(yield* goodTokens(other), { bearer: false, cookie: false })
      assert.deepStrictEqual(yield* goodTokens(bobs), { bearer: true, cookie: true })
      assert.strictEqual((yield* Effect.flip(sessions.refresh(other.refreshToken, source())))._tag, "TokenRejected")
      yield* sessions.refresh(own.refreshToken, source())
      assert.strictEqual((yield* Effect.flip(keyOwner(key)))._tag, "TokenRejected")
      assert.strictEqual(yield* refusal("ada", password), "CredentialsRejected")
      yield* sessions.login("ada", secret(next), source())
      const updates = (yield* eventsOf(`user/${userId}`)).filter(({ _tag }) => _tag === "UserUpdated")
      assert.deepStrictEqual(updates, [{ _tag: "UserUpdated", userId, updatedFields: ["password"], updatedBy: userId }])
    }).pipe(instance)
  )

  it.effect("ends them on the other host before its memory ages out", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      yield* registered("ada").pipe(Effect.provideContext(a))
      const [own, other] = yield* Effect.all([loggedIn("ada"), loggedIn("ada")]).pipe(Effect.provideContext(a))
      const caller = yield* callerOf(own).pipe(Effect.provideContext(b))
      const onB = goodTokens(other).pipe(Effect.provideContext(b))
      assert.deepStrictEqual(yield* onB, { bearer: true, cookie: true })
      yield* change(caller, password, next).pipe(Effect.provideContext(a))
      const left = yield* onB.pipe(Effect.repeat({ until: ({ bearer }) => !bearer, times: 100 }))
      assert.deepStrictEqual(left, { bearer: false, cookie: false })
      assert.isTrue((yield* goodTokens(own).pipe(Effect.provideContext(b))).bearer)
    }).pipe(Effect.scoped)
  )

  it.effect("by an API key ends every session", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      const { key } = yield* (yield* ApiKeys).create(yield* callerOf(tokens), { name: "k" }, source())
      yield* change(yield* keyOwner(key), password, next)
      assert.deepStrictEqual(yield* goodTokens(tokens), { bearer: false, cookie: false })
    }).pipe(instance)
  )

  it.effect("says that the current one is wrong before it judges the next one, and changes nothing", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const [own, other] = [yield* loggedIn("ada"), yield* loggedIn("ada")]
      const caller = yield* callerOf(own)
      assert.strictEqual((yield* Effect.flip(change(caller, "wrong", "weak")))._tag, "CurrentPasswordWrong")
      assert.strictEqual((yield* Effect.flip(change(caller, password, "weak")))._tag, "PasswordTooWeak")
      assert.deepStrictEqual(yield* goodTokens(other), { bearer: true, cookie: true })
      yield* loggedIn("ada")
      assert.deepStrictEqual(yield* tagsOf("auth/failures"), ["AuthFailed"])
    }).pipe(instance)
  )

  it.effect("lets nobody guess the current one more than five times, and does not lock the login for it", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const caller = yield* Effect.flatMap(loggedIn("ada"), callerOf)
      for (const _ of times(5))
        assert.strictEqual((yield* Effect.flip(change(caller, "wrong", next)))._tag, "CurrentPasswordWrong")
      assert.strictEqual((yield* Effect.flip(change(caller, password, next)))._tag, "LoginLocked")
      yield* loggedIn("ada")
      yield* TestClock.adjust("15 minutes")
      yield* change(caller, password, next)
    }).pipe(instance)
  )

  it.effect("of two changes at once one wins, and the other's current password is wrong then", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const caller = yield* Effect.flatMap(loggedIn("ada"), callerOf)
      const changes = [`${next}-1`, `${next}-2`].map((to) => Effect.result(change(caller, password, to)))
      const results = yield* Effect.all(changes, { concurrency: 2 })
      const won = results.findIndex(({ _tag }) => _tag === "Success")
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      yield* (yield* Sessions).login("ada", secret(`${next}-${won + 1}`), source())
    }).pipe(instance)
  )

  it.effect("never writes a password down", () =>
    Effect.gen(function* () {
      const store = yield* UserStore
      const { userId } = yield* registered("ada")
      yield* change(yield* Effect.flatMap(loggedIn("ada"), callerOf), password, next)
      const record = Option.getOrThrow(yield* store.find(userId))
      const publicOutput = `${JSON.stringify(record)} ${JSON.stringify(yield* eventsOf(`user/${userId}`))} ${record.passwordHash}`
      for (const text of [password, next, Redacted.value(record.passwordHash)]) assert.notInclude(publicOutput, text)
      assert.isFalse(Object.keys(new User(record.user)).some((name) => /password|hash/i.test(name)))
    }).pipe(instance)
  )
})
