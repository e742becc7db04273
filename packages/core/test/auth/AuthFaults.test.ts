/** The store fails at one step of a use case: nothing is half written, and the same call succeeds afterwards. */

import { assert, describe, it } from "@effect/vitest"
import { ApiKeyStore } from "@fairlead/core/auth/api-keys/ApiKeyStore"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { SessionStore } from "@fairlead/core/auth/sessions/SessionStore"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import { LoginAttemptStore } from "@fairlead/core/auth/users/LoginAttemptStore"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import { Users } from "@fairlead/core/auth/users/Users"
import { EventLog } from "@fairlead/core/events/EventLog"
import * as Stores from "@fairlead/core/Stores"
import { StorageError } from "@fairlead/core/storage/StorageError"
import * as Faults from "@fairlead/testing/faults/Faults"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { callerOf, goodTokens, hostOver, keyOwner, loggedIn, password, registered, secret } from "./support/identity.ts"

const error = new StorageError({ operation: "test", retryable: true, cause: "test" })
/** The answer is lost after the work was done: the harder case of the two. */
const lost = Faults.failAfter(error)
const over = (fault: Layer.Layer<never, never, Stores.Stores>) =>
  Effect.provide(hostOver(Layer.provideMerge(fault, Stores.layerMemory)))
const next = "Another-Horse-8"

/** Everything that the use cases write, in a form that can be compared. */
const snapshot = Effect.fnUntraced(function* (tokens: ReadonlyArray<SessionTokens> = []) {
  const { events } = yield* (yield* EventLog).readAll(undefined, 1_000)
  const user = yield* (yield* UserStore).findByLogin("ada")
  const sessions = yield* SessionStore
  const rows = yield* Effect.forEach(tokens, ({ sessionId }) => sessions.find(sessionId))
  const newest = Option.map(user, ({ user }) => [user.version, user.lastLoginAt, user.updatedAt])
  return JSON.stringify([events.map(({ event }) => event), newest, rows])
})

const fails = <A, E extends { readonly _tag: string }, R>(work: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(work), ({ _tag }) => assert.strictEqual(_tag, "StorageError"))

describe("Users.register", () => {
  it.effect.each([
    ["LoginAttemptStore.charge", Faults.layer(LoginAttemptStore, "charge", 1, lost)],
    ["UserStore.insert", Faults.layer(UserStore, "insert", 1, lost)],
    ["EventLog.append", Faults.layer(EventLog, "append", 1, lost)]
  ] as const)("leaves no user when %s fails", ([, fault]) =>
    Effect.gen(function* () {
      const before = yield* snapshot()
      yield* fails(registered("ada"))
      assert.strictEqual(yield* snapshot(), before)
      yield* registered("ada")
      yield* loggedIn("ada")
    }).pipe(over(fault))
  )
})

describe("Sessions.login", () => {
  it.effect.each([
    // The first one is that of the registration.
    ["LoginAttemptStore.charge", Faults.layer(LoginAttemptStore, "charge", 2, lost)],
    ["UserStore.recordLogin", Faults.layer(UserStore, "recordLogin", 1, lost)],
    ["SessionStore.insert", Faults.layer(SessionStore, "insert", 1, lost)],
    ["LoginAttemptStore.clear", Faults.layer(LoginAttemptStore, "clear", 1, lost)],
    ["EventLog.append", Faults.layer(EventLog, "append", 2, lost)]
  ] as const)("leaves no session and no event when %s fails", ([, fault]) =>
    Effect.gen(function* () {
      const { userId } = yield* registered("ada")
      const before = yield* snapshot()
      yield* TestClock.adjust("1 second")
      yield* fails(loggedIn("ada"))
      assert.strictEqual(yield* snapshot(), before)
      assert.isFalse(yield* (yield* SessionStore).knowsAddress(userId, "192.0.2.1"))
      yield* loggedIn("ada")
    }).pipe(over(fault))
  )
})

describe("Sessions.refresh", () => {
  const refresh = (tokens: SessionTokens) =>
    Effect.flatMap(Sessions, (sessions) => sessions.refresh(tokens.refreshToken, source()))

  it.effect.each([
    ["SessionStore.find", Faults.layer(SessionStore, "find", 2, lost)],
    ["UserStore.find", Faults.layer(UserStore, "find", 1, lost)],
    ["SessionStore.replace", Faults.layer(SessionStore, "replace", 1, lost)]
  ] as const)("spends no token when %s fails", ([, fault]) =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      const before = yield* snapshot([tokens])
      yield* TestClock.adjust("1 minute")
      yield* fails(refresh(tokens))
      assert.strictEqual(yield* snapshot([tokens]), before)
      yield* TestClock.adjust("1 minute")
      yield* refresh(yield* refresh(tokens))
    }).pipe(over(fault))
  )

  it.effect.each([
    ["SessionStore.revoke", Faults.layer(SessionStore, "revoke", 1, lost)],
    ["EventLog.append", Faults.layer(EventLog, "append", 3, lost)]
  ] as const)("finds the reuse again when %s failed", ([, fault]) =>
    Effect.gen(function* () {
      yield* registered("ada")
      const first = yield* loggedIn("ada")
      const second = yield* refresh(first)
      yield* TestClock.adjust("1 minute")
      const before = yield* snapshot([first])
      yield* fails(refresh(first))
      assert.strictEqual(yield* snapshot([first]), before)
      assert.strictEqual((yield* Effect.flip(refresh(first)))._tag, "TokenRejected")
      assert.deepStrictEqual(yield* goodTokens(second), { bearer: false, cookie: false })
    }).pipe(over(fault))
  )
})

describe("Sessions.logout", () => {
  it.effect.each([
    ["SessionStore.revoke", Faults.layer(SessionStore, "revoke", 1, lost)],
    ["EventLog.append", Faults.layer(EventLog, "append", 3, lost)]
  ] as const)("keeps the session when %s fails", ([, fault]) =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      const before = yield* snapshot([tokens])
      yield* fails(sessions.logout(tokens.sessionId, source()))
      assert.strictEqual(yield* snapshot([tokens]), before)
      yield* sessions.logout(tokens.sessionId, source())
      assert.deepStrictEqual(yield* goodTokens(tokens), { bearer: false, cookie: false })
    }).pipe(over(fault))
  )
})

describe("Users.changePassword", () => {
  it.effect.each([
    ["UserStore.replace", Faults.layer(UserStore, "replace", 1, lost)],
    ["EventLog.append", Faults.layer(EventLog, "append", 4, lost)],
    ["LoginAttemptStore.clear", Faults.layer(LoginAttemptStore, "clear", 3, lost)],
    ["SessionStore.revokeAll", Faults.layer(SessionStore, "revokeAll", 1, lost)]
  ] as const)("changes nothing and ends nothing when %s fails", ([, fault]) =>
    Effect.gen(function* () {
      const users = yield* Users
      yield* registered("ada")
      const [own, other] = [yield* loggedIn("ada"), yield* loggedIn("ada")]
      const caller = yield* callerOf(own)
      const before = yield* snapshot([own, other])
      yield* TestClock.adjust("1 second")
      const change = users.changePassword(caller, { current: secret(password), next: secret(next) }, source())
      yield* fails(change)
      assert.strictEqual(yield* snapshot([own, other]), before)
      assert.deepStrictEqual(yield* goodTokens(other), { bearer: true, cookie: true })
      yield* change
      assert.deepStrictEqual(yield* goodTokens(other), { bearer: false, cookie: false })
    }).pipe(over(fault))
  )
})

describe("ApiKeys.create", () => {
  it.effect.each([
    ["ApiKeyStore.insert", Faults.layer(ApiKeyStore, "insert", 1, lost)],
    ["EventLog.append", Faults.layer(EventLog, "append", 3, lost)]
  ] as const)("leaves no key when %s fails", ([, fault]) =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      yield* registered("ada")
      const caller = yield* callerOf(yield* loggedIn("ada"))
      const before = yield* snapshot()
      const create = keys.create(caller, { name: "ci" }, source())
      yield* fails(create)
      assert.strictEqual(yield* snapshot(), before)
      assert.deepStrictEqual(yield* keys.list(caller), [])
      yield* keyOwner((yield* create).key)
    }).pipe(over(fault))
  )
})

describe("ApiKeys.revoke", () => {
  it.effect.each([
    ["ApiKeyStore.remove", Faults.layer(ApiKeyStore, "remove", 1, lost)],
    ["EventLog.append", Faults.layer(EventLog, "append", 4, lost)]
  ] as const)("keeps the key when %s fails", ([, fault]) =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      yield* registered("ada")
      const caller = yield* callerOf(yield* loggedIn("ada"))
      const { apiKey, key } = yield* keys.create(caller, { name: "ci" }, source())
      const before = yield* snapshot()
      const revoke = keys.revoke(caller, apiKey.apiKeyId, source())
      yield* fails(revoke)
      assert.strictEqual(yield* snapshot(), before)
      yield* keyOwner(key)
      yield* revoke
      assert.strictEqual((yield* Effect.flip(keyOwner(key)))._tag, "TokenRejected")
    }).pipe(over(fault))
  )
})
