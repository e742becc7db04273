/** What every store of sessions promises: a session ends once and stays ended, and one of its writers wins. */
import { assert, it } from "@effect/vitest"
import { rotate, Session } from "@fairlead/core/auth/sessions/Session"
import { SessionStore } from "@fairlead/core/auth/sessions/SessionStore"
import type { Stores } from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { DateTime, Effect, Equal, Exit, type Layer, Option } from "effect"
import { liveSession, sessionId } from "../fixtures/AuthFixtures.ts"
import { instant } from "../fixtures/ExecutionFixtures.ts"
import { userId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

const after = (milliseconds: number) => DateTime.add(instant, { milliseconds })
const week = 7 * 24 * 3_600_000

const assertStored = Effect.fnUntraced(function* (session: Session) {
  const found = yield* Effect.flatMap(SessionStore, ({ find }) => find(session.sessionId))
  assert.isTrue(Equal.equals(found, Option.some(session)), `${JSON.stringify(found)} is not ${JSON.stringify(session)}`)
})
const ended = (session: Session, revokedAt: DateTime.Utc) =>
  new Session({ ...session, revokedAt, version: session.version + 1 })

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`SessionStore (${name})`, (it) => {
    it.effect("find gives a session back equal in every field", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        const full = liveSession(1, {
          ipAddress: "2001:db8::1",
          userAgent: "Ünï\u0000\ud800\ue000",
          previousHash: "p",
          revokedAt: after(5)
        })
        yield* store.insert(full)
        yield* store.insert(liveSession(2))
        yield* assertStored(full)
        yield* assertStored(liveSession(2))
        assert.isTrue(Option.isNone(yield* store.find(sessionId(999))))
      })
    )

    it.effect("insert of an existing id dies and keeps the first session", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        yield* store.insert(liveSession(5))
        const again = store.insert(liveSession(5, { refreshHash: "other" }))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(again)))
        yield* assertStored(liveSession(5))
      })
    )

    it.effect("replace lets exactly one of 20 concurrent rotations win", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        const session = liveSession(10)
        yield* store.insert(session)
        const next = (n: number) =>
          rotate(session, { refreshHash: `next-${n}`, at: after(n), expiresAt: after(week + n) })
        const numbers = Array.from({ length: 20 }, (_, n) => n)
        const wins = yield* Effect.forEach(numbers, (n) => store.replace(next(n)), { concurrency: 20 })
        assert.strictEqual(wins.filter((won) => won).length, 1)
        yield* assertStored(next(wins.indexOf(true)))
        assert.isFalse(yield* store.replace(liveSession(11, { version: 2 })))
      })
    )

    it.effect("revoke ends a session once; a rotation that read it before loses", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        const session = liveSession(20)
        yield* store.insert(session)
        const first = yield* store.revoke(session.sessionId, after(1))
        assert.isTrue(Equal.equals(first, Option.some(ended(session, after(1)))))
        assert.isTrue(Option.isNone(yield* store.revoke(session.sessionId, after(2))))
        assert.isTrue(Option.isNone(yield* store.revoke(sessionId(999), after(2))))
        assert.isFalse(
          yield* store.replace(rotate(session, { refreshHash: "n", at: after(3), expiresAt: after(week) }))
        )
        yield* assertStored(ended(session, after(1)))
      })
    )

    it.effect("of 20 concurrent revokes one ends the session", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        yield* store.insert(liveSession(22))
        const numbers = Array.from({ length: 20 }, (_, n) => n)
        const answers = yield* Effect.forEach(numbers, (n) => store.revoke(sessionId(22), after(n)), {
          concurrency: 20
        })
        assert.strictEqual(answers.filter(Option.isSome).length, 1)
      })
    )

    it.effect("an expired session cannot be ended, one that expires in a millisecond can", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        yield* store.insert(liveSession(25))
        assert.isTrue(Option.isNone(yield* store.revoke(sessionId(25), after(week))))
        assert.isTrue(Option.isSome(yield* store.revoke(sessionId(25), after(week - 1))))
      })
    )

    it.effect("revokeAll ends the live sessions of one user except the kept one, and names them", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        const of = (n: number, change: Partial<typeof Session.Type> = {}) =>
          liveSession(n, { userId: userId(30), ...change })
        const rows = [of(30), of(31), of(32, { revokedAt: after(1) }), of(33, { expiresAt: after(5) }), liveSession(34)]
        yield* Effect.forEach(rows, store.insert)
        const stopped = yield* store.revokeAll(userId(30), sessionId(31), after(10))
        assert.deepStrictEqual(stopped, [sessionId(30)])
        yield* Effect.forEach([ended(of(30), after(10)), ...rows.slice(1)], assertStored)
        assert.deepStrictEqual(yield* store.revokeAll(userId(30), undefined, after(11)), [sessionId(31)])
        assert.deepStrictEqual(yield* store.revokeAll(userId(30), undefined, after(12)), [])
      })
    )

    it.effect("revokeOldest leaves the newest, of those the ones with the highest ids, and ends only live ones", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        const of = (n: number, change: Partial<typeof Session.Type> = {}) =>
          liveSession(n, { userId: userId(70), ...change })
        const dead = [of(76, { revokedAt: after(1) }), of(77, { expiresAt: after(5) }), liveSession(78)]
        yield* Effect.forEach([of(70), of(74), of(72), of(75), of(73), ...dead], store.insert)
        const endOldest = (newest: number, limit: number) =>
          Effect.map(store.revokeOldest(userId(70), sessionId(newest), limit, after(10)), (ids) => ids.toSorted())
        assert.deepStrictEqual(yield* endOldest(75, 5), [])
        assert.deepStrictEqual(yield* endOldest(75, 3), [sessionId(70), sessionId(72)])
        yield* Effect.forEach(
          [ended(of(70), after(10)), ended(of(72), after(10)), of(73), of(74), of(75), ...dead],
          assertStored
        )
        assert.deepStrictEqual(yield* endOldest(73, 2), [sessionId(74)])
        assert.deepStrictEqual(yield* endOldest(73, 1), [sessionId(75)])
        yield* assertStored(of(73))
      })
    )

    it.effect("knowsAddress knows where sessions of the user began, ended ones too", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        yield* store.insert(liveSession(40, { userId: userId(40), ipAddress: "192.0.2.7", revokedAt: after(1) }))
        assert.isTrue(yield* store.knowsAddress(userId(40), "192.0.2.7"))
        assert.isFalse(yield* store.knowsAddress(userId(40), "192.0.2.8"))
        assert.isFalse(yield* store.knowsAddress(userId(41), "192.0.2.7"))
      })
    )

    it.effect("prune removes what expired by then, and counts it", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        const old = (hours: number) => DateTime.subtract(instant, { hours: 1_000 + hours })
        yield* store.prune(old(0))
        for (const [n, hours] of [
          [50, 2],
          [51, 1],
          [52, 0],
          [53, -1]
        ] as const)
          yield* store.insert(liveSession(n, { expiresAt: old(hours) }))
        assert.strictEqual(yield* store.prune(old(0)), 3)
        assert.strictEqual(yield* store.prune(old(0)), 0)
        yield* assertStored(liveSession(53, { expiresAt: old(-1) }))
      })
    )

    it.effect("what a transaction ended lives on when it fails", () =>
      Effect.gen(function* () {
        const store = yield* SessionStore
        const { transaction } = yield* Storage
        yield* store.insert(liveSession(60))
        yield* Effect.flip(transaction(Effect.andThen(store.revoke(sessionId(60), after(1)), Effect.fail("stop"))))
        yield* assertStored(liveSession(60))
      })
    )
  })
