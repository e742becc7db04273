import { assert, describe, it } from "@effect/vitest"
import { SessionStore } from "@fairlead/core/auth/sessions/SessionStore"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { SessionTokens } from "@fairlead/core/auth/sessions/SessionTokens"
import * as Stores from "@fairlead/core/Stores"
import { source } from "@fairlead/testing/fixtures/AuthFixtures"
import { Effect, Layer, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import {
  eventsOf,
  goodTokens,
  hostOver,
  identity,
  loggedIn,
  registered,
  secret,
  tagsOf,
  twoHosts
} from "./support/identity.ts"

const instance = Effect.provide(identity)
const all = { bearer: true, cookie: true }
const none = { bearer: false, cookie: false }

const refresh = (token: Redacted.Redacted) => Effect.flatMap(Sessions, (sessions) => sessions.refresh(token, source()))
const refused = (token: Redacted.Redacted) => Effect.map(Effect.flip(refresh(token)), ({ _tag }) => _tag)
const logout = (tokens: SessionTokens) =>
  Effect.flatMap(Sessions, (sessions) => sessions.logout(tokens.sessionId, source()))
const text = (tokens: SessionTokens) => Redacted.value(tokens.refreshToken)
const join = (parts: ReadonlyArray<string | undefined>) => secret(parts.join("."))

describe("Sessions.login, once more than a user may", () => {
  it.effect("ends the oldest session at once on every host, says so, and leaves other users alone", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      const onA = Effect.provideContext(a)
      const { userId } = yield* registered("ada").pipe(onA)
      yield* registered("bob").pipe(onA)
      const other = yield* loggedIn("bob").pipe(onA)
      const tokens: Array<SessionTokens> = []
      for (let n = 0; n < 20; n++) {
        tokens.push(yield* loggedIn("ada").pipe(onA))
        yield* TestClock.adjust("1 second")
      }
      const [first, second] = tokens
      assert.isDefined(first)
      assert.isDefined(second)
      const good = (kept: SessionTokens) =>
        Effect.all([a, b].map((instance) => Effect.provideContext(goodTokens(kept), instance)))
      assert.deepStrictEqual(yield* good(first), [all, all])
      const newest = yield* loggedIn("ada").pipe(onA)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* good(first), [none, none])
      for (const kept of [second, newest, other]) assert.deepStrictEqual(yield* good(kept), [all, all])
      assert.strictEqual(yield* refused(first.refreshToken).pipe(onA), "TokenRejected")
      const events = yield* eventsOf(`user/${userId}`).pipe(onA)
      assert.deepStrictEqual(events.slice(-2), [
        { _tag: "UserLoggedIn", userId, loginMethod: "password", ipAddress: "192.0.2.1", userAgent: "test" },
        { _tag: "UserLoggedOut", userId, logoutReason: "too_many_sessions" }
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("keeps to the limit when logins come at once", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => loggedIn("ada"), { concurrency: 6 })
      const good = yield* Effect.forEach(tokens, goodTokens)
      assert.strictEqual(good.filter(({ bearer }) => bearer).length, 2)
    }).pipe(Effect.provide(hostOver(Stores.layerMemory, { sessionsPerUser: 2 })))
  )
})

describe("Sessions.refresh", () => {
  it.effect("gives the next pair; the tokens of before stay good, the session goes on for a week from now", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const first = yield* loggedIn("ada")
      yield* TestClock.adjust("10 minutes")
      const second = yield* refresh(first.refreshToken)
      assert.strictEqual(second.sessionId, first.sessionId)
      assert.notStrictEqual(text(second), text(first))
      assert.deepStrictEqual([yield* goodTokens(first), yield* goodTokens(second)], [all, all])
      const session = Option.getOrThrow(yield* (yield* SessionStore).find(first.sessionId))
      assert.strictEqual(session.expiresAt.epochMilliseconds, (7 * 24 * 60 + 10) * 60_000)
    }).pipe(instance)
  )

  it.effect("repeats the same successor for ten seconds, then takes the token for stolen and ends the session", () =>
    Effect.gen(function* () {
      const user = yield* registered("ada")
      const first = yield* loggedIn("ada")
      const other = yield* loggedIn("ada")
      const second = yield* refresh(first.refreshToken)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(text(yield* refresh(first.refreshToken)), text(second))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* refused(first.refreshToken), "TokenRejected")
      assert.strictEqual(yield* refused(second.refreshToken), "TokenRejected")
      assert.deepStrictEqual([yield* goodTokens(second), yield* goodTokens(other)], [none, all])
      assert.strictEqual(yield* refused(first.refreshToken), "TokenRejected")
      const tags = yield* tagsOf(`user/${user.userId}`)
      assert.deepStrictEqual(tags.slice(-1), ["SecurityViolation"])
      assert.strictEqual(tags.filter((tag) => tag === "SecurityViolation").length, 1)
    }).pipe(instance)
  )

  it.effect("takes the token before the one before for stolen at once", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const first = yield* loggedIn("ada")
      const third = yield* Effect.flatMap(refresh(first.refreshToken), (second) => refresh(second.refreshToken))
      assert.strictEqual(yield* refused(first.refreshToken), "TokenRejected")
      assert.deepStrictEqual(yield* goodTokens(third), none)
    }).pipe(instance)
  )

  it.effect("gives 20 callers with one token, on two hosts, the same successor", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      yield* registered("ada").pipe(Effect.provideContext(a))
      const first = yield* loggedIn("ada").pipe(Effect.provideContext(a))
      const callers = Array.from({ length: 20 }, (_, n) =>
        refresh(first.refreshToken).pipe(Effect.provideContext(n % 2 ? a : b))
      )
      const answers = yield* Effect.all(callers, { concurrency: 20 })
      assert.strictEqual(new Set(answers.map(text)).size, 1)
      const [next = first] = answers
      yield* refresh(next.refreshToken).pipe(Effect.provideContext(b))
    }).pipe(Effect.scoped)
  )

  it.effect("looks again when a rival wrote first", () => {
    const rival = Layer.effect(
      SessionStore,
      Effect.map(SessionStore, (store) => {
        let calls = 0
        return { ...store, replace: (session) => (calls++ === 0 ? Effect.succeed(false) : store.replace(session)) }
      })
    )
    return Effect.gen(function* () {
      yield* registered("ada")
      const first = yield* loggedIn("ada")
      yield* refresh((yield* refresh(first.refreshToken)).refreshToken)
    }).pipe(Effect.provide(hostOver(Layer.provideMerge(rival, Stores.layerMemory))))
  })

  it.effect("refuses what we did not issue, and ends no session for it", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const mine = yield* loggedIn("ada")
      const other = yield* loggedIn("ada")
      const [id, random, stamp] = text(mine).split(".")
      const [otherId, otherRandom, otherStamp] = text(other).split(".")
      const forged = [
        join([id, otherRandom, stamp]),
        join([id, otherRandom, otherStamp]),
        join([otherId, random, stamp]),
        join([id, random, `${stamp?.slice(0, -1)}${stamp?.endsWith("A") ? "B" : "A"}`]),
        join([id, random]),
        join([id, random, stamp, ""]),
        join([id?.toUpperCase(), random, stamp]),
        join([id, "x".repeat(10_000), stamp]),
        secret(""),
        mine.accessToken,
        mine.cookieToken
      ]
      for (const token of forged) assert.strictEqual(yield* refused(token), "TokenRejected", Redacted.value(token))
      assert.deepStrictEqual([yield* goodTokens(mine), yield* goodTokens(other)], [all, all])
      yield* refresh(mine.refreshToken)
    }).pipe(instance)
  )

  it.effect("is no access token", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      yield* registered("ada")
      const { refreshToken } = yield* loggedIn("ada")
      for (const kind of ["bearer", "cookie"] as const)
        assert.strictEqual((yield* Effect.flip(sessions.authenticate(kind, refreshToken)))._tag, "TokenRejected")
    }).pipe(instance)
  )

  it.effect("refuses the token of a session that nobody refreshed for a week", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      yield* TestClock.adjust("7 days")
      assert.strictEqual(yield* refused(tokens.refreshToken), "TokenRejected")
    }).pipe(instance)
  )

  it.effect("gives tokens that end with the session at the latest", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      assert.deepStrictEqual([tokens.accessTokenSeconds, tokens.cookieTokenSeconds], [100, 100])
    }).pipe(Effect.provide(hostOver(Stores.layerMemory, { sessionSeconds: 100 })))
  )
})

describe("Sessions.logout", () => {
  it.effect("ends every token of the session at once, and of no other; once is enough", () =>
    Effect.gen(function* () {
      const user = yield* registered("ada")
      const [tokens, other] = [yield* loggedIn("ada"), yield* loggedIn("ada")]
      assert.deepStrictEqual(yield* goodTokens(tokens), all)
      yield* logout(tokens)
      assert.deepStrictEqual([yield* goodTokens(tokens), yield* goodTokens(other)], [none, all])
      assert.strictEqual(yield* refused(tokens.refreshToken), "TokenRejected")
      yield* logout(tokens)
      const tags = yield* tagsOf(`user/${user.userId}`)
      assert.strictEqual(tags.filter((tag) => tag === "UserLoggedOut").length, 1)
    }).pipe(instance)
  )

  it.effect("takes a refresh token for the session, and shrugs at an unknown one", () =>
    Effect.gen(function* () {
      const { logoutByRefreshToken } = yield* Sessions
      yield* registered("ada")
      const tokens = yield* loggedIn("ada")
      yield* logoutByRefreshToken(secret("unknown"), source())
      assert.deepStrictEqual(yield* goodTokens(tokens), all)
      yield* logoutByRefreshToken(tokens.refreshToken, source())
      assert.deepStrictEqual(yield* goodTokens(tokens), none)
    }).pipe(instance)
  )

  it.effect("reaches the other host before its memory of the session ages out", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoHosts
      yield* registered("ada").pipe(Effect.provideContext(a))
      const tokens = yield* loggedIn("ada").pipe(Effect.provideContext(a))
      const onB = goodTokens(tokens).pipe(Effect.provideContext(b))
      assert.deepStrictEqual(yield* onB, all)
      yield* logout(tokens).pipe(Effect.provideContext(a))
      // The test's clock stands still: nothing ages.
      const left = yield* onB.pipe(Effect.repeat({ until: ({ bearer }) => !bearer, times: 100 }))
      assert.deepStrictEqual(left, none)
    }).pipe(Effect.scoped)
  )
})

describe("Sessions.verifyCsrf", () => {
  it.effect("accepts the tokens of the session, and no token of another one or of somebody's own making", () =>
    Effect.gen(function* () {
      const { issueCsrf, verifyCsrf } = yield* Sessions
      yield* registered("ada")
      const [mine, other] = [yield* loggedIn("ada"), yield* loggedIn("ada")]
      const fresh = yield* issueCsrf(mine.sessionId)
      assert.notStrictEqual(fresh, mine.csrfToken)
      for (const token of [fresh, mine.csrfToken]) assert.isTrue(yield* verifyCsrf(mine.sessionId, token))
      const [nonce = "", stamp = ""] = fresh.split(".")
      const last = stamp.endsWith("A") ? "B" : "A"
      const forged = [
        other.csrfToken,
        "",
        "x",
        ".",
        nonce,
        `${nonce}.`,
        `.${stamp}`,
        `x${nonce}.${stamp}`,
        `${nonce}.${stamp}.`,
        `${nonce}.${stamp}=`,
        `${nonce}.${stamp.slice(0, -1)}${last}`,
        `${nonce}.${stamp.slice(0, -1)}`,
        `${other.csrfToken.split(".")[0]}.${stamp}`,
        "x".repeat(100_000)
      ]
      for (const token of forged) assert.isFalse(yield* verifyCsrf(mine.sessionId, token), token)
    }).pipe(instance)
  )
})

describe("housekeeping", () => {
  it.effect("removes sessions once they expired", () =>
    Effect.gen(function* () {
      yield* registered("ada")
      const { sessionId } = yield* loggedIn("ada")
      const kept = Effect.flatMap(SessionStore, ({ find }) => Effect.map(find(sessionId), Option.isSome))
      yield* logout(yield* loggedIn("ada"))
      yield* TestClock.adjust("6 days")
      assert.isTrue(yield* kept)
      yield* TestClock.adjust("25 hours")
      assert.isFalse(yield* kept)
    }).pipe(instance)
  )
})
