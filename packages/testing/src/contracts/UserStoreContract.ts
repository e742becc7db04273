/** What every store of users promises: one user a name and address, one winner among writers, hashes only beside their user. */
import { assert, it } from "@effect/vitest"
import { User } from "@fairlead/core/auth/users/User"
import { UserStore } from "@fairlead/core/auth/users/UserStore"
import type { Stores } from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { DateTime, Deferred, Effect, Equal, Exit, Fiber, type Layer, Option, Redacted } from "effect"
import { activeUser, userRecord } from "../fixtures/AuthFixtures.ts"
import { instant } from "../fixtures/ExecutionFixtures.ts"
import { userId } from "../fixtures/Uuid.ts"
import { asFarAsItGets, liveSuite } from "./internal/eventually.ts"

const later = DateTime.add(instant, { hours: 1 })
const hash = (text: string) => Redacted.make(text)

const stored = Effect.fnUntraced(function* (n: number) {
  const found = yield* Effect.flatMap(UserStore, ({ find }) => find(userId(n)))
  return Option.map(found, ({ passwordHash, user }) => ({ user, hash: Redacted.value(passwordHash) }))
})
const assertStored = Effect.fnUntraced(function* (n: number, user: User, expectedHash: string) {
  const found = Option.getOrUndefined(yield* stored(n))
  assert.isTrue(Equal.equals(found?.user, user), `${JSON.stringify(found?.user)} is not ${JSON.stringify(user)}`)
  assert.strictEqual(found?.hash, expectedHash)
})

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`UserStore (${name})`, (it) => {
    it.effect("find gives a user back equal in every field, with the hash", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        const full = userRecord(1, { fullName: "Ünï 🚢 O'Neil", lastLoginAt: later, role: "admin", isActive: false })
        assert.strictEqual(yield* store.insert(full), "inserted")
        yield* assertStored(1, full.user, "hash-1")
        assert.isTrue(Option.isNone(yield* stored(999)))
      })
    )

    it.effect("insert refuses a name or an address that is taken, whatever its case", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        yield* store.insert(userRecord(10, { username: "Ada", email: "Ada@Example.com" }))
        const both = userRecord(11, { username: "ADA", email: "ada@example.COM" })
        assert.strictEqual(yield* store.insert(both), "username_taken")
        assert.strictEqual(yield* store.insert(userRecord(11, { email: "ADA@example.com" })), "email_taken")
        assert.isTrue(Option.isNone(yield* stored(11)))
        assert.strictEqual(yield* store.insert(userRecord(11)), "inserted")
      })
    )

    it.effect("a shared address belongs to nobody: it stands in no way and does not log in", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        const shared = { email: "Common@example.com", emailShared: true }
        assert.strictEqual(yield* store.insert(userRecord(12, shared)), "inserted")
        assert.isTrue(Option.isNone(yield* store.findByLogin("common@example.com")))
        assert.strictEqual(yield* store.insert(userRecord(13, { email: "common@example.com" })), "inserted")
        assert.strictEqual(yield* store.insert(userRecord(14, shared)), "inserted")
        const found = yield* store.findByLogin("COMMON@example.com")
        assert.strictEqual(Option.getOrUndefined(found)?.user.userId, userId(13))
        assert.isTrue(yield* store.replace(activeUser(12, { version: 2, email: "common@example.com" })))
        yield* assertStored(12, activeUser(12, { ...shared, version: 2 }), "hash-12")
      })
    )

    it.effect("insert of an existing id dies and keeps the first user", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        yield* store.insert(userRecord(15))
        const again = userRecord(15, { username: "other", email: "other@example.com" })
        assert.isTrue(Exit.hasDies(yield* Effect.exit(store.insert(again))))
        yield* assertStored(15, activeUser(15), "hash-15")
      })
    )

    it.effect("of 20 users of one name at once, one is inserted", () =>
      Effect.gen(function* () {
        const { insert } = yield* UserStore
        const rivals = Array.from({ length: 20 }, (_, i) => userRecord(100 + i, { username: "sought" }))
        const { transaction } = yield* Storage
        const answers = yield* Effect.forEach(rivals, (rival) => transaction(insert(rival)), { concurrency: 20 })
        assert.strictEqual(answers.filter((answer) => answer === "inserted").length, 1)
        assert.strictEqual(answers.filter((answer) => answer === "username_taken").length, 19)
      })
    )

    it.effect("findByLogin finds by name and by address in any case, and nothing else", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        yield* store.insert(userRecord(20, { username: "Grace.H", email: "Grace@Example.com" }))
        for (const login of ["grace.h", "GRACE.H", "Grace.H", "grace@example.com", "GRACE@EXAMPLE.COM"]) {
          const found = yield* store.findByLogin(login)
          assert.strictEqual(Option.getOrUndefined(found)?.user.userId, userId(20), login)
        }
        for (const login of ["grace", "grace.h ", "grace%", "_race.h", "", "' or 1=1 --"])
          assert.isTrue(Option.isNone(yield* store.findByLogin(login)), login)
      })
    )

    it.effect("replace writes the next version with or without a hash, and never name and address", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        yield* store.insert(userRecord(30))
        const renamed = activeUser(30, { fullName: "N", role: "viewer", version: 2, updatedAt: later })
        assert.isTrue(yield* store.replace(new User({ ...renamed, username: "thief", email: "thief@example.com" })))
        yield* assertStored(30, renamed, "hash-30")
        assert.isTrue(yield* store.replace(activeUser(30, { version: 3, isActive: false }), hash("new")))
        yield* assertStored(30, activeUser(30, { version: 3, isActive: false }), "new")
        for (const version of [2, 3, 5]) assert.isFalse(yield* store.replace(activeUser(30, { version }), hash("late")))
        assert.isFalse(yield* store.replace(activeUser(31, { version: 2 })))
        yield* assertStored(30, activeUser(30, { version: 3, isActive: false }), "new")
      })
    )

    it.effect("replace lets exactly one of 20 concurrent writers of one version win", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        yield* store.insert(userRecord(35))
        const rival = (n: number) => store.replace(activeUser(35, { version: 2 }), hash(`rival-${n}`))
        const wins = yield* Effect.forEach(Array.from({ length: 20 }).keys(), rival, { concurrency: 20 })
        assert.strictEqual(wins.filter((won) => won).length, 1)
        assert.strictEqual(Option.getOrUndefined(yield* stored(35))?.hash, `rival-${wins.indexOf(true)}`)
      })
    )

    it.effect("recordLogin notes the time and the new hash and leaves the version alone", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        yield* store.insert(userRecord(40))
        assert.isTrue(yield* store.recordLogin(userId(40), { at: instant, verified: hash("hash-40") }))
        yield* assertStored(40, activeUser(40, { lastLoginAt: instant }), "hash-40")
        const rehashed = { at: later, verified: hash("hash-40"), rehashed: hash("stronger") }
        assert.isTrue(yield* store.recordLogin(userId(40), rehashed))
        yield* assertStored(40, activeUser(40, { lastLoginAt: later }), "stronger")
      })
    )

    it.effect("recordLogin refuses a hash that is no longer the user's, and inactive users", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        yield* store.insert(userRecord(45))
        const stale = { at: later, verified: hash("old"), rehashed: hash("stronger") }
        assert.isFalse(yield* store.recordLogin(userId(45), stale))
        yield* store.insert(userRecord(46, { isActive: false }))
        assert.isFalse(yield* store.recordLogin(userId(46), { at: later, verified: hash("hash-46") }))
        assert.isFalse(yield* store.recordLogin(userId(999), { at: later, verified: hash("hash-999") }))
        yield* assertStored(45, activeUser(45), "hash-45")
        yield* assertStored(46, activeUser(46, { isActive: false }), "hash-46")
      })
    )

    it.effect("a login waits for a change of the password, and then counts for nothing", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        const { transaction } = yield* Storage
        yield* store.insert(userRecord(50))
        const [changed, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const change = yield* store
          .replace(activeUser(50, { version: 2 }), hash("new"))
          .pipe(
            Effect.andThen(Deferred.succeed(changed, undefined)),
            Effect.andThen(Deferred.await(release)),
            transaction,
            Effect.forkChild
          )
        yield* Deferred.await(changed)
        const login = yield* Effect.forkChild(
          transaction(store.recordLogin(userId(50), { at: later, verified: hash("hash-50") }))
        )
        assert.isTrue(Option.isNone(yield* asFarAsItGets(login)))
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(change)
        assert.isFalse(yield* Fiber.join(login))
      })
    )

    it.effect("what a transaction wrote goes when it fails", () =>
      Effect.gen(function* () {
        const store = yield* UserStore
        const { transaction } = yield* Storage
        yield* Effect.flip(transaction(Effect.andThen(store.insert(userRecord(60)), Effect.fail("stop"))))
        assert.isTrue(Option.isNone(yield* stored(60)))
      })
    )
  })
