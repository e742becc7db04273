/** No hint ever arrives, and the clock stands still: what a host itself has ended is over on this host all the same. */

import { assert, describe, it } from "@effect/vitest"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { SessionStore } from "@fairlead/core/auth/sessions/SessionStore"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { Users } from "@fairlead/core/auth/users/Users"
import * as Stores from "@fairlead/core/Stores"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { DateTime, Effect, Layer, Stream } from "effect"
import { callerOf, goodTokens, hostOver, keyOwner, loggedIn, password, registered, secret } from "./support/identity.ts"

const deaf = Layer.effect(
  Wakeups,
  Effect.map(Wakeups, (wakeups) => ({ ...wakeups, all: Stream.never }))
)
const instance = Effect.provide(hostOver(Layer.provideMerge(deaf, Stores.layerMemory)))
const none = { bearer: false, cookie: false }

/** A user with two sessions that the host remembers. */
const twoLogins = Effect.gen(function* () {
  yield* registered("ada")
  const [own, other] = [yield* loggedIn("ada"), yield* loggedIn("ada")]
  for (const tokens of [own, other]) assert.deepStrictEqual(yield* goodTokens(tokens), { bearer: true, cookie: true })
  return { own, other, caller: yield* callerOf(own) }
})

describe("a host of which one part hears hints before the others", () => {
  /** Whether a waiter learns of the end when only the `n`-th subscriber to hints hears. */
  const learns = Effect.fnUntraced(function* (n: number) {
    let subscribers = 0
    const oneEar = Layer.effect(
      Wakeups,
      Effect.map(Wakeups, (wakeups) => ({
        ...wakeups,
        all: Stream.suspend(() => (subscribers++ === n ? wakeups.all : Stream.never))
      }))
    )
    return yield* Effect.gen(function* () {
      const { caller, own } = yield* twoLogins
      const waiting = yield* Effect.forkChild(Effect.flatMap(Sessions, (sessions) => sessions.awaitRevocation(caller)))
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      yield* (yield* SessionStore).revoke(own.sessionId, yield* DateTime.now)
      yield* (yield* Wakeups).send(`session/${own.sessionId}`)
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      return waiting.pollUnsafe() !== undefined
    }).pipe(Effect.provide(hostOver(Layer.provideMerge(oneEar, Stores.layerMemory))))
  })

  it.effect("looks at the truth when the waiter hears first", () =>
    Effect.gen(function* () {
      assert.sameMembers([yield* learns(0), yield* learns(1)], [false, true])
    })
  )
})

describe("a host that hears no hints", () => {
  it.effect("knows of its own logouts", () =>
    Effect.gen(function* () {
      const { own } = yield* twoLogins
      yield* (yield* Sessions).logout(own.sessionId, source())
      assert.deepStrictEqual(yield* goodTokens(own), none)
    }).pipe(instance)
  )

  it.effect("knows of the reuse that it found", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { own } = yield* twoLogins
      const second = yield* sessions.refresh(own.refreshToken, source())
      yield* sessions.refresh(second.refreshToken, source())
      assert.deepStrictEqual(yield* goodTokens(second), { bearer: true, cookie: true })
      yield* Effect.flip(sessions.refresh(own.refreshToken, source()))
      assert.deepStrictEqual(yield* goodTokens(second), none)
    }).pipe(instance)
  )

  it.effect("knows whom it gave another password", () =>
    Effect.gen(function* () {
      const { caller, other, own } = yield* twoLogins
      const change = { current: secret(password), next: secret("Another-Horse-8") }
      yield* (yield* Users).changePassword(caller, change, source())
      assert.deepStrictEqual(yield* goodTokens(other), none)
      assert.deepStrictEqual(yield* goodTokens(own), { bearer: true, cookie: true })
    }).pipe(instance)
  )

  it.effect("knows the keys that it revoked", () =>
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { caller } = yield* twoLogins
      const { apiKey, key } = yield* keys.create(caller, { name: "k" }, source())
      yield* keyOwner(key)
      yield* keys.revoke(caller, apiKey.apiKeyId, source())
      assert.strictEqual((yield* Effect.flip(keyOwner(key)))._tag, "TokenRejected")
    }).pipe(instance)
  )
})
