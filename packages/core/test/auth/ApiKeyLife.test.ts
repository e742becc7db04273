import { assert, describe, it } from "@effect/vitest"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { Users } from "@fairlead/core/auth/users/Users"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, type Redacted } from "effect"
import { TestClock } from "effect/testing"
import { callerOf, identity, keyOwner, loggedIn, password, registered, secret, twoHosts } from "./support/identity.ts"

const instance = Effect.provide(identity)
const login = (name: string) => Effect.andThen(registered(name), Effect.flatMap(loggedIn(name), callerOf))
const refused = (key: Redacted.Redacted) => Effect.map(Effect.flip(keyOwner(key)), ({ _tag }) => _tag)
const created = (name: string, request: { readonly expiresInDays?: number } = {}) =>
  Effect.flatMap(login(name), (caller) =>
    Effect.flatMap(ApiKeys, (keys) =>
      Effect.map(keys.create(caller, { name: "ci", ...request }, source()), (made) => ({ ...made, caller }))
    )
  )
describe("ApiKeys that are made with a key", () => {
  it.effect("end with it at the latest, and go when it is revoked", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { apiKey, caller, key } = yield* created("ada", { expiresInDays: 2 })
      const withKey = yield* keyOwner(key)
      const make = (request: { readonly expiresInDays?: number }) =>
        keys.create(withKey, { name: "child", ...request }, source())
      const [endless, longer, shorter] = [
        yield* make({}),
        yield* make({ expiresInDays: 9 }),
        yield* make({ expiresInDays: 1 })
      ]
      assert.deepStrictEqual(
        [endless, longer].map((child) => child.apiKey.expiresAt),
        [apiKey.expiresAt, apiKey.expiresAt]
      )
      assert.isBelow(shorter.apiKey.expiresAt?.epochMilliseconds ?? 0, apiKey.expiresAt?.epochMilliseconds ?? 0)
      yield* keys.revoke(caller, apiKey.apiKeyId, source())
      for (const child of [endless, longer, shorter]) assert.strictEqual(yield* refused(child.key), "TokenRejected")
      assert.deepStrictEqual(yield* keys.list(caller), [])
    }).pipe(instance)
  )

  it.effect("and all others of the user are refused on every host once the password has changed", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      const made = yield* Effect.provideContext(created("ada"), a)
      assert.strictEqual((yield* Effect.provideContext(keyOwner(made.key), b)).username, "ada")
      const change = { current: secret(password), next: secret("Another-Horse-8") }
      yield* Effect.provideContext(
        Effect.flatMap(Users, (users) => users.changePassword(made.caller, change, source())),
        a
      )
      yield* TestClock.adjust("1 second")
      for (const instance of [a, b])
        assert.strictEqual(yield* Effect.provideContext(refused(made.key), instance), "TokenRejected")
    }).pipe(Effect.scoped)
  )
})
