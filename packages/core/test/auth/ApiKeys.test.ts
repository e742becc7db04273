import { assert, describe, it } from "@effect/vitest"
import { ApiKeyStore } from "@fairlead/core/auth/api-keys/ApiKeyStore"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import type { Principal } from "@fairlead/core/auth/Principal"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { User } from "@fairlead/core/auth/users/User"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import { EventLog } from "@fairlead/core/events/EventLog"
import * as Stores from "@fairlead/core/Stores"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { apiKeyId, source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, Layer, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { callerOf, hostOver, identity, keyOwner, loggedIn, registered, secret, twoHosts } from "./support/identity.ts"

const instance = Effect.provide(identity)
const login = (name: string) => Effect.andThen(registered(name), Effect.flatMap(loggedIn(name), callerOf))
const refused = (key: Redacted.Redacted) => Effect.map(Effect.flip(keyOwner(key)), ({ _tag }) => _tag)
const created = (name: string, request: { readonly expiresInDays?: number } = {}) =>
  Effect.flatMap(login(name), (caller) =>
    Effect.flatMap(ApiKeys, (keys) =>
      Effect.map(keys.create(caller, { name: "ci", ...request }, source()), (made) => ({ ...made, caller }))
    )
  )
const stored = (id: Parameters<ApiKeyStore["Service"]["find"]>[0]) =>
  Effect.flatMap(ApiKeyStore, ({ find }) => Effect.map(find(id), Option.getOrThrow))

describe("ApiKeys.create", () => {
  it.effect("shows a key that acts as its owner, and keeps only its digest", () =>
    Effect.gen(function* () {
      const { apiKey, caller, key } = yield* created("ada")
      const text = Redacted.value(key)
      assert.match(text, /^fairlead_[0-9a-f]{32}_[A-Za-z0-9_-]{49}$/)
      assert.deepInclude({ ...apiKey }, { ownerId: caller.userId, name: "ci" })
      assert.deepInclude(yield* keyOwner(key), {
        userId: caller.userId,
        username: "ada",
        grants: caller.grants,
        credential: { _tag: "ApiKey", apiKeyId: apiKey.apiKeyId }
      })
      const record = yield* stored(apiKey.apiKeyId)
      assert.match(record.keyHash, /^[0-9a-f]{64}$/)
      assert.notInclude(JSON.stringify(record), text.slice(-20))
      assert.notInclude(JSON.stringify(yield* (yield* ApiKeys).list(caller)), record.keyHash)
    }).pipe(instance)
  )

  it.effect("gives a user 50 keys at most, until one is revoked", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const caller = yield* login("ada")
      const make = Effect.result(keys.create(caller, { name: "k" }, source()))
      const results = yield* Effect.all(
        Array.from({ length: 60 }, () => make),
        { concurrency: 60 }
      )
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 50)
      const refusal = yield* Effect.flip(keys.create(caller, { name: "k" }, source()))
      assert.deepInclude(refusal, { _tag: "ApiKeysExhausted", maximum: 50 })
      const list = yield* keys.list(caller)
      const ids = list.map((key) => key.apiKeyId)
      assert.deepStrictEqual([ids.length, ids], [50, [...ids].sort().reverse()])
      for (const id of ids.slice(0, 1)) yield* keys.revoke(caller, id, source())
      yield* keys.create(caller, { name: "k" }, source())
    }).pipe(instance)
  )
})

describe("ApiKeys events", () => {
  const streamOf = (caller: Principal) => `user/${caller.userId}`
  const logged = (caller: Principal) =>
    Effect.map(
      Effect.flatMap(EventLog, ({ readStream }) => readStream(streamOf(caller), { afterVersion: 0, limit: 100 })),
      (events) => events.slice(2)
    )

  it.effect("say who made and revoked which key, and never the key", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { apiKey, caller, key } = yield* created("ada")
      yield* keys.revoke(caller, apiKey.apiKeyId, source("192.0.2.9"))
      const about = { userId: caller.userId, apiKeyId: apiKey.apiKeyId, name: "ci" }
      const events = yield* logged(caller)
      assert.deepStrictEqual(
        events.map(({ event }) => ({ ...event })),
        [
          { _tag: "ApiKeyCreated", ...about },
          { _tag: "ApiKeyRevoked", ...about }
        ]
      )
      assert.deepStrictEqual(
        events.map(({ metadata }) => metadata.ipAddress),
        ["192.0.2.1", "192.0.2.9"]
      )
      const text = JSON.stringify(events)
      for (const part of [Redacted.value(key).slice(-20), "fairlead_"]) assert.notInclude(text, part)
    }).pipe(instance)
  )

  it.effect("are not written for a key too many, a key of others, or a key that is gone", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const [mine, other] = [yield* created("ada"), yield* created("bob")]
      yield* keys.revoke(mine.caller, mine.apiKey.apiKeyId, source())
      const [before, others] = [yield* logged(mine.caller), yield* logged(other.caller)]
      for (const id of [other.apiKey.apiKeyId, mine.apiKey.apiKeyId, apiKeyId(1)])
        yield* Effect.flip(keys.revoke(mine.caller, id, source()))
      yield* Effect.flip(keys.create(other.caller, { name: "k" }, source()))
      assert.deepStrictEqual([yield* logged(mine.caller), yield* logged(other.caller)], [before, others])
    }).pipe(Effect.provide(hostOver(Stores.layerMemory, { apiKeysPerUser: 1 })))
  )

  it.effect("name one end of a key that is revoked twenty times at once", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { apiKey, caller } = yield* created("ada")
      const revoke = Effect.result(keys.revoke(caller, apiKey.apiKeyId, source()))
      const results = yield* Effect.all(
        Array.from({ length: 20 }, () => revoke),
        { concurrency: 20 }
      )
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      assert.deepStrictEqual(
        (yield* logged(caller)).map(({ event }) => event._tag),
        ["ApiKeyCreated", "ApiKeyRevoked"]
      )
    }).pipe(instance)
  )
})

describe("ApiKeys.authenticate", () => {
  it.effect("refuses everything that is not the whole key", () =>
    Effect.gen(function* () {
      const [mine, other] = [yield* created("ada"), yield* created("bob")]
      const [a, b] = [Redacted.value(mine.key), Redacted.value(other.key)]
      const altered = Array.from(
        a,
        (character, i) => `${a.slice(0, i)}${character === "a" ? "b" : "a"}${a.slice(i + 1)}`
      )
      const forged = [
        ...altered,
        a.slice(0, -1),
        `${a}a`,
        a.toUpperCase(),
        ` ${a}`,
        `${a.slice(0, 42)}${b.slice(42)}`,
        `${b.slice(0, 42)}${a.slice(42)}`,
        "",
        "fairlead_",
        "x".repeat(100_000),
        `${a}${"x".repeat(10_000)}`
      ]
      for (const text of forged) assert.strictEqual(yield* refused(secret(text)), "TokenRejected", text)
      yield* keyOwner(mine.key)
    }).pipe(instance)
  )

  it.effect("does not ask the store about a key with a typing error", () => {
    const asked: Array<string> = []
    const counted = Layer.effect(
      ApiKeyStore,
      Effect.map(ApiKeyStore, (store) => ({
        ...store,
        find: (id) =>
          Effect.suspend(() => {
            asked.push(id)
            return store.find(id)
          })
      }))
    )
    return Effect.gen(function* () {
      const text = Redacted.value((yield* created("ada")).key)
      const typo = `${text.slice(0, 60)}${text.charAt(60) === "a" ? "b" : "a"}${text.slice(61)}`
      assert.strictEqual(yield* refused(secret(typo)), "TokenRejected")
      assert.deepStrictEqual(asked, [])
      yield* keyOwner(secret(text))
      assert.isNotEmpty(asked)
    }).pipe(Effect.provide(hostOver(Layer.provideMerge(counted, Stores.layerMemory))))
  })

  it.effect("refuses another key of the same id, though its form is right", () =>
    Effect.gen(function* () {
      const { apiKey, caller, key } = yield* created("ada")
      const store = yield* ApiKeyStore
      yield* store.remove(caller.userId, apiKey.apiKeyId)
      yield* store.insert({ apiKey, keyHash: "0".repeat(64) }, 50)
      assert.strictEqual(yield* refused(key), "TokenRejected")
    }).pipe(instance)
  )

  it.effect("refuses a key when its days are over", () =>
    Effect.gen(function* () {
      const { key } = yield* created("ada", { expiresInDays: 1 })
      yield* TestClock.adjust("86399 seconds")
      yield* keyOwner(key)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* refused(key), "TokenRejected")
    }).pipe(instance)
  )

  it.effect("refuses the keys of an inactive user, and goes by the role of the moment", () =>
    Effect.gen(function* () {
      const users = yield* UserStore
      const { caller, key } = yield* created("ada")
      const { user } = Option.getOrThrow(yield* users.find(caller.userId))
      const changed = Effect.fnUntraced(function* (change: Partial<typeof User.Type>) {
        yield* users.replace(new User({ ...user, ...change }))
        yield* (yield* Wakeups).send(`user/${user.userId}`)
        yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      })
      assert.strictEqual((yield* keyOwner(key)).role, "user")
      yield* changed({ role: "viewer", version: user.version + 1 })
      assert.isUndefined((yield* keyOwner(key)).grants["executions:run"])
      yield* changed({ isActive: false, version: user.version + 2 })
      assert.strictEqual(yield* refused(key), "TokenRejected")
    }).pipe(instance)
  )

  it.effect("notes the use once a minute, however often the key is used", () => {
    const touches: Array<number> = []
    const counted = Layer.effect(
      ApiKeyStore,
      Effect.map(ApiKeyStore, (store) => ({
        ...store,
        touch: (id, at) =>
          Effect.suspend(() => {
            touches.push(at.epochMilliseconds)
            return store.touch(id, at)
          })
      }))
    )
    return Effect.gen(function* () {
      const { apiKey, key } = yield* created("ada")
      for (const _ of Array.from({ length: 30 })) {
        yield* keyOwner(key)
        yield* TestClock.adjust("4 seconds")
      }
      assert.deepStrictEqual(touches, [0, 60_000])
      assert.strictEqual((yield* stored(apiKey.apiKeyId)).apiKey.lastUsedAt?.epochMilliseconds, 60_000)
    }).pipe(Effect.provide(hostOver(Layer.provideMerge(counted, Stores.layerMemory))))
  })
})

describe("ApiKeys.revoke", () => {
  it.effect("ends the key at once, on the other host too, and what hangs on it", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      const { apiKey, caller, key } = yield* created("ada").pipe(Effect.provideContext(a))
      const owner = yield* keyOwner(key).pipe(Effect.provideContext(b))
      const stream = yield* Effect.forkChild(
        Effect.flatMap(Sessions, ({ awaitRevocation }) => awaitRevocation(owner)).pipe(Effect.provideContext(b))
      )
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      assert.isUndefined(stream.pollUnsafe())
      yield* Effect.flatMap(ApiKeys, ({ revoke }) => revoke(caller, apiKey.apiKeyId, source())).pipe(
        Effect.provideContext(a)
      )
      assert.strictEqual(yield* refused(key).pipe(Effect.provideContext(a)), "TokenRejected")
      yield* Effect.repeat(Effect.yieldNow, { times: 50 })
      assert.isDefined(stream.pollUnsafe())
      assert.strictEqual(yield* refused(key).pipe(Effect.provideContext(b)), "TokenRejected")
    }).pipe(Effect.scoped)
  )

  it.effect("does not know the keys of others", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const [mine, other] = [yield* created("ada"), yield* created("bob")]
      for (const id of [other.apiKey.apiKeyId, apiKeyId(1)])
        assert.deepInclude(yield* Effect.flip(keys.revoke(mine.caller, id, source())), {
          _tag: "ApiKeyNotFound",
          apiKeyId: id
        })
      yield* keyOwner(other.key)
      yield* keys.revoke(mine.caller, mine.apiKey.apiKeyId, source())
      const again = yield* Effect.flip(keys.revoke(mine.caller, mine.apiKey.apiKeyId, source()))
      assert.strictEqual(again._tag, "ApiKeyNotFound")
    }).pipe(instance)
  )
})
