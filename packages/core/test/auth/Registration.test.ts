import { assert, describe, it } from "@effect/vitest"
import { authDefaults } from "@fairlead/core/auth/AuthOptions"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { NewUser } from "@fairlead/core/auth/users/NewUser"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import { Users } from "@fairlead/core/auth/users/Users"
import * as Stores from "@fairlead/core/Stores"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import {
  callerOf,
  eventsOf,
  HasherProbe,
  hostOver,
  identity,
  newUser,
  password,
  refusal,
  registered,
  secret
} from "./support/identity.ts"

const instance = Effect.provide(identity)
const next = "Another-Horse-8"

const register = (change: Partial<NewUser> = {}) =>
  Effect.flatMap(Users, (users) => users.register(newUser(change), source()))
const times = (n: number) => Array.from({ length: n }, (_, i) => i)

describe("Users.register", () => {
  it.effect("makes an active user with the role user, and records it", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("5 seconds")
      const user = yield* register({ fullName: "Ada L." })
      assert.deepInclude({ ...user }, { username: "Ada", email: "Ada@example.com", fullName: "Ada L.", role: "user" })
      assert.deepInclude({ ...user }, { isActive: true, version: 1 })
      assert.strictEqual(user.createdAt.epochMilliseconds, 5_000)
      const { userId } = user
      const event = { _tag: "UserRegistered", userId, username: "Ada", email: "Ada@example.com" } as const
      assert.deepStrictEqual(yield* eventsOf(`user/${userId}`), [event])
    }).pipe(instance)
  )

  it.effect("makes no more of the request than its fields: a role in it is nothing", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const wish = { ...newUser(), role: "admin", isActive: false, userId: "x", version: 9 }
      const user = yield* users.register(wish, source())
      assert.deepInclude({ ...user }, { role: "user", isActive: true, version: 1 })
    }).pipe(instance)
  )

  it.effect("says that a name is taken, and writes nothing", () =>
    Effect.gen(function* () {
      yield* register()
      const taken = yield* Effect.flip(register({ username: "ADA", email: "new@example.com" }))
      assert.deepInclude(taken, { _tag: "UsernameTaken", username: "ADA" })
      assert.isTrue(Option.isNone(yield* (yield* UserStore).findByLogin("new@example.com")))
    }).pipe(instance)
  )

  it.effect("takes an address that another user has for contact only, and says nothing of it", () =>
    Effect.gen(function* () {
      const [users, sessions] = [yield* Users, yield* Sessions]
      const first = yield* register()
      const second = yield* register({ username: "new", email: "ada@EXAMPLE.com", password: secret(next) })
      const publicOutput = yield* users.self(
        yield* Effect.flatMap(sessions.login("new", secret(next), source()), callerOf)
      )
      assert.deepInclude({ ...publicOutput }, { userId: second.userId, username: "new", email: "ada@EXAMPLE.com" })
      const byAddress = yield* sessions.login("ada@example.com", secret(password), source())
      assert.strictEqual(byAddress.user.userId, first.userId)
      assert.strictEqual(yield* refusal("ada@example.com", next), "CredentialsRejected")
    }).pipe(instance)
  )

  it.effect("finds a free name for who gives none, whoever has the one of their address", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const wish = { email: "ada@example.com", password: secret(password) }
      const first = yield* users.register(wish, source())
      const second = yield* users.register(wish, source())
      assert.strictEqual(first.username, "ada")
      assert.match(second.username, /^ada-[A-Za-z0-9]{8}$/)
    }).pipe(instance)
  )

  it.effect("is refused where registration is closed, which it is by default", () =>
    Effect.gen(function* () {
      assert.strictEqual(authDefaults.registration, "closed")
      const refused = yield* Effect.flip(register())
      assert.strictEqual(refused._tag, "RegistrationClosed")
    }).pipe(Effect.provide(hostOver(Stores.layerMemory, { registration: "closed" })))
  )

  it.effect("lets one network register a limited number of users in a window", () =>
    Effect.gen(function* () {
      const users = yield* Users
      const from = (ipAddress: string, n: number) =>
        Effect.result(
          users.register(newUser({ username: `user-${n}`, email: `u${n}@example.com` }), { ...source(), ipAddress })
        )
      const tags = yield* Effect.forEach(
        ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:9::3", "2001:db8:0:1::1", "192.0.2.9", "192.0.2.10"],
        (address, n) => Effect.map(from(address, n), (made) => (made._tag === "Failure" ? made.failure._tag : "ok"))
      )
      assert.deepStrictEqual(tags, ["ok", "ok", "RegistrationsExhausted", "ok", "ok", "ok"])
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* from("2001:db8::4", 9))._tag, "Success")
    }).pipe(Effect.provide(hostOver(Stores.layerMemory, { registrationsPerAddress: 2 })))
  )

  it.effect("names each rule that the password breaks, before it hashes anything", () =>
    Effect.gen(function* () {
      const { counts } = yield* HasherProbe
      const before = counts.hashed
      const weak = yield* Effect.flip(register({ password: secret("ada") }))
      assert.deepInclude(weak, { _tag: "PasswordTooWeak", rules: ["too_short", "contains_username"], minimumLength: 8 })
      assert.strictEqual(counts.hashed, before)
    }).pipe(instance)
  )

  it.effect("refuses more registrations at once than the line holds", () =>
    Effect.gen(function* () {
      const { gate } = yield* HasherProbe
      yield* gate.close
      const joining = yield* Effect.forEach(times(50), (n) => Effect.forkChild(Effect.result(registered(`u-${n}`))))
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      yield* gate.open
      const results = yield* Effect.forEach(joining, Fiber.join)
      const tags = results.map((result) => (result._tag === "Failure" ? result.failure._tag : "ok"))
      assert.strictEqual(tags.filter((tag) => tag === "ok").length, 36)
      assert.strictEqual(tags.filter((tag) => tag === "LoginsBusy").length, 14)
    }).pipe(instance)
  )
})
