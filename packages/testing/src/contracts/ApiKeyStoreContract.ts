/** What every store of API keys promises: a bounded number a user, found by id, seen by nobody else. */
import { assert, it } from "@effect/vitest"
import type { ApiKey } from "@fairlead/core/auth/api-keys/ApiKey"
import { ApiKeyStore } from "@fairlead/core/auth/api-keys/ApiKeyStore"
import type { Stores } from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { DateTime, Effect, Equal, Exit, type Layer, Option } from "effect"
import { apiKeyId, apiKeyRecord } from "../fixtures/AuthFixtures.ts"
import { instant } from "../fixtures/ExecutionFixtures.ts"
import { userId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

const after = (milliseconds: number) => DateTime.add(instant, { milliseconds })
const plenty = 1_000
const idsOf = (keys: ReadonlyArray<ApiKey>) => keys.map(({ apiKeyId }) => apiKeyId).sort()

const lastUse = Effect.fnUntraced(function* (n: number) {
  const found = yield* Effect.flatMap(ApiKeyStore, ({ find }) => find(apiKeyId(n)))
  return Option.getOrUndefined(found)?.apiKey.lastUsedAt?.epochMilliseconds
})

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`ApiKeyStore (${name})`, (it) => {
    it.effect("find gives a key back equal in every field, with its digest", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        const full = apiKeyRecord(1, { name: "Ünï 🔑", expiresAt: after(5), lastUsedAt: after(1) })
        assert.isTrue(yield* store.insert(full, plenty))
        const found = Option.getOrThrow(yield* store.find(apiKeyId(1)))
        assert.isTrue(Equal.equals(found.apiKey, full.apiKey))
        assert.strictEqual(found.keyHash, "hash-1")
        assert.isTrue(Option.isNone(yield* store.find(apiKeyId(999))))
      })
    )

    it.effect("insert of an existing id dies", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        yield* store.insert(apiKeyRecord(5), plenty)
        assert.isTrue(Exit.hasDies(yield* Effect.exit(store.insert(apiKeyRecord(5), plenty))))
      })
    )

    it.effect("of 20 keys at once, a user gets as many as the maximum", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        const rivals = Array.from({ length: 20 }, (_, i) => apiKeyRecord(100 + i, { ownerId: userId(10) }))
        const answers = yield* Effect.forEach(rivals, (rival) => store.insert(rival, 3), { concurrency: 20 })
        assert.strictEqual(answers.filter((added) => added).length, 3)
        assert.strictEqual((yield* store.list(userId(10))).length, 3)
        assert.isTrue(yield* store.insert(apiKeyRecord(130, { ownerId: userId(11) }), 3))
        const [first] = yield* store.list(userId(10))
        yield* store.remove(userId(10), first?.apiKeyId ?? apiKeyId(0))
        assert.isTrue(yield* store.insert(apiKeyRecord(131, { ownerId: userId(10) }), 3))
      })
    )

    it.effect("list shows the owner's keys, newest first", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        for (const n of [20, 22, 21]) yield* store.insert(apiKeyRecord(n, { ownerId: userId(20) }), plenty)
        const ids = (yield* store.list(userId(20))).map((key) => key.apiKeyId)
        assert.deepStrictEqual(ids, [apiKeyId(22), apiKeyId(21), apiKeyId(20)])
        assert.deepStrictEqual(yield* store.list(userId(21)), [])
      })
    )

    it.effect("remove takes only the owner's key, once", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        yield* store.insert(apiKeyRecord(30), plenty)
        assert.deepStrictEqual(yield* store.remove(userId(2), apiKeyId(30)), [])
        assert.deepStrictEqual(idsOf(yield* store.remove(userId(1), apiKeyId(30))), [apiKeyId(30)])
        assert.deepStrictEqual(yield* store.remove(userId(1), apiKeyId(30)), [])
        assert.isTrue(Option.isNone(yield* store.find(apiKeyId(30))))
      })
    )

    it.effect("remove takes what was made with the key, and with that; removeAll takes the rest of the owner's", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        const ownerId = userId(60)
        for (const [n, madeWith] of [
          [60, undefined],
          [61, 60],
          [62, 61],
          [63, undefined],
          [64, 63]
        ] as const)
          yield* store.insert(
            apiKeyRecord(n, { ownerId, ...(madeWith === undefined ? {} : { madeWith: apiKeyId(madeWith) }) }),
            plenty
          )
        yield* store.insert(apiKeyRecord(65, { ownerId: userId(61) }), plenty)
        assert.deepStrictEqual(idsOf(yield* store.remove(ownerId, apiKeyId(60))), [60, 61, 62].map(apiKeyId))
        assert.deepStrictEqual(idsOf(yield* store.list(ownerId)), [63, 64].map(apiKeyId))
        assert.deepStrictEqual(idsOf(yield* store.removeAll(ownerId)), [63, 64].map(apiKeyId))
        assert.deepStrictEqual(yield* store.removeAll(ownerId), [])
        assert.deepStrictEqual(idsOf(yield* store.list(userId(61))), [apiKeyId(65)])
      })
    )

    it.effect("touch notes a use at most once a minute, and never an earlier one", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        yield* store.insert(apiKeyRecord(40), plenty)
        const base = instant.epochMilliseconds
        for (const [millis, expected] of [
          [0, 0],
          [59_999, 0],
          [60_000, 60_000],
          [30_000, 60_000]
        ] as const) {
          yield* store.touch(apiKeyId(40), after(millis))
          assert.strictEqual(yield* lastUse(40), base + expected)
        }
        yield* store.touch(apiKeyId(999), instant)
      })
    )

    it.effect("what a transaction removed is there when it fails", () =>
      Effect.gen(function* () {
        const store = yield* ApiKeyStore
        const { transaction } = yield* Storage
        yield* store.insert(apiKeyRecord(50), plenty)
        yield* Effect.flip(transaction(Effect.andThen(store.remove(userId(1), apiKeyId(50)), Effect.fail("stop"))))
        assert.isTrue(Option.isSome(yield* store.find(apiKeyId(50))))
      })
    )
  })
