/** The auth areas over memory stores, with a hasher that counts and can be held. */

import { type AuthChoices, AuthOptions, authDefaults } from "@fairlead/core/auth/AuthOptions"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import type { NewUser } from "@fairlead/core/auth/users/NewUser"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { Users } from "@fairlead/core/auth/users/Users"
import { EventLog } from "@fairlead/core/events/EventLog"
import { layerIdentity } from "@fairlead/core/Fairlead"
import * as Stores from "@fairlead/core/Stores"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Context, Effect, Latch, Layer, Redacted } from "effect"

export const password = "Correct-Horse-7"
export const secret = (text: string) => Redacted.make(text)

/** What the hasher did, and the gate that holds it while closed. */
export class HasherProbe extends Context.Service<
  HasherProbe,
  {
    readonly counts: { verified: number; hashed: number; atOnce: number; mostAtOnce: number }
    readonly gate: Latch.Latch
  }
>()("test/HasherProbe") {
  static readonly layer = Layer.sync(HasherProbe, () =>
    HasherProbe.of({ counts: { verified: 0, hashed: 0, atOnce: 0, mostAtOnce: 0 }, gate: Latch.makeUnsafe(true) })
  )
}

const probedHasher = Layer.effect(
  PasswordHasher,
  Effect.gen(function* () {
    const { counts, gate } = yield* HasherProbe
    const hasher = yield* PasswordHasher
    const watched = <A>(work: Effect.Effect<A>, kind: "verified" | "hashed") =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          counts[kind]++
          counts.mostAtOnce = Math.max(counts.mostAtOnce, ++counts.atOnce)
        }),
        () => Effect.andThen(gate.await, work),
        () => Effect.sync(() => counts.atOnce--)
      )
    return PasswordHasher.of({
      hash: (text) => watched(hasher.hash(text), "hashed"),
      // A check that is no work would tell by its time that there is no such user.
      verify: (hash, text) =>
        hasher.needsRehash(hash) ? Effect.die("not a hash") : watched(hasher.verify(hash, text), "verified"),
      needsRehash: (hash) => hasher.needsRehash(hash) || Redacted.value(hash).endsWith("-weak")
    })
  })
).pipe(Layer.provide(PasswordHasher.layerMemory))

const outside = Layer.mergeAll(probedHasher, AccessTokens.layerMemory).pipe(Layer.provideMerge(HasherProbe.layer))

/** Anybody may register, as often as they like. */
const testing: AuthChoices = { ...authDefaults, registration: "open", registrationsPerAddress: 1_000 }

/** One host over `stores`. */
export const hostOver = <E>(stores: Layer.Layer<Stores.Stores, E>, options: Partial<AuthChoices> = {}) =>
  layerIdentity({ secret: secret("a secret of more than 32 bytes for tests") }).pipe(
    Layer.provide(Layer.succeed(AuthOptions, { ...testing, ...options })),
    Layer.provideMerge(Layer.mergeAll(outside, stores))
  )

export const identity = hostOver(Stores.layerMemory)

/** Two hosts over one database and one signing secret. */
export const twoHosts = Effect.gen(function* () {
  const shared = Layer.mergeAll(
    Layer.succeedContext(yield* Layer.build(Stores.layerMemory)),
    Layer.succeedContext(yield* Layer.build(outside))
  )
  const instance = layerIdentity({ secret: secret("a secret of more than 32 bytes for tests") }).pipe(
    Layer.provide(Layer.succeed(AuthOptions, testing)),
    Layer.provideMerge(shared)
  )
  const [a, b] = [yield* Layer.build(Layer.fresh(instance)), yield* Layer.build(Layer.fresh(instance))]
  return { a, b }
})

/** Registers user `name` with `password`. */
export const registered = (name: string) =>
  Effect.flatMap(Users, ({ register }) =>
    register({ username: name, email: `${name}@example.com`, password: secret(password) }, source())
  )

export const loggedIn = (name: string, from = source()) =>
  Effect.flatMap(Sessions, ({ login }) => login(name, secret(password), from))

/** How a login that must not succeed ends. */
export const refusal = (name: string, text: string, from = source()) =>
  Effect.flatMap(Sessions, ({ login }) => Effect.map(Effect.flip(login(name, secret(text), from)), ({ _tag }) => _tag))

/** Which of the session's tokens are good. */
export const goodTokens = Effect.fnUntraced(function* (tokens: SessionTokens) {
  const sessions = yield* Sessions
  const passes = (work: Effect.Effect<unknown, { readonly _tag: string }>) =>
    Effect.match(work, { onFailure: () => false, onSuccess: () => true })
  return {
    bearer: yield* passes(sessions.authenticate("bearer", tokens.accessToken)),
    cookie: yield* passes(sessions.authenticate("cookie", tokens.cookieToken))
  }
})

/** Tags of the events of a stream, oldest first. */
export const tagsOf = (stream: string) => Effect.map(eventsOf(stream), (events) => events.map(({ _tag }) => _tag))
export const eventsOf = (stream: string) =>
  Effect.flatMap(EventLog, ({ readStream }) =>
    Effect.map(readStream(stream, { afterVersion: 0, limit: 1_000 }), (stored) => stored.map(({ event }) => event))
  )

/** The caller behind a fresh bearer token. */
export const callerOf = (tokens: SessionTokens) =>
  Effect.flatMap(Sessions, ({ authenticate }) => authenticate("bearer", tokens.accessToken))

export const keyOwner = (key: Redacted.Redacted) => Effect.flatMap(ApiKeys, ({ authenticate }) => authenticate(key))

/** Wants to be registered. */
export const newUser = (change: Partial<NewUser> = {}): NewUser => ({
  username: "Ada",
  email: "Ada@example.com",
  password: secret(password),
  ...change
})
