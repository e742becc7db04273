import { assert, describe, it } from "@effect/vitest"
import type { Principal } from "@fairlead/core/auth/Principal"
import { Ids } from "@fairlead/core/ids/Ids"
import { SessionId } from "@fairlead/core/ids/SessionId"
import { SparePartStore } from "@fairlead/core/spare-parts/SparePartStore"
import { SpareParts } from "@fairlead/core/spare-parts/SpareParts"
import { MemoryDatabase } from "@fairlead/core/storage/MemoryDatabase"
import { userId, uuid } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer } from "effect"

const caller = (n: number, reach: "own" | "all" = "own"): Principal => ({
  userId: userId(n),
  username: `user-${n}`,
  role: "user",
  grants: { "spare-parts:read": reach, "spare-parts:write": reach },
  credential: { _tag: "Bearer", sessionId: SessionId.make(uuid(n)) }
})

const store = SparePartStore.layerMemory.pipe(Layer.provide(MemoryDatabase.layer))
const services = SpareParts.layer.pipe(Layer.provideMerge(Layer.merge(store, Ids.layerMemory)))

describe("SpareParts", () => {
  it.effect("shows a spare part to its owner and to who may see everyone's, to nobody else", () =>
    Effect.gen(function* () {
      const spareParts = yield* SpareParts
      const { sparePartId } = yield* spareParts.create(caller(1), "first")
      assert.strictEqual((yield* spareParts.get(caller(1), sparePartId)).name, "first")
      assert.strictEqual((yield* spareParts.get(caller(2, "all"), sparePartId)).name, "first")
      assert.strictEqual((yield* Effect.flip(spareParts.get(caller(2), sparePartId)))._tag, "SparePartNotFound")
    }).pipe(Effect.provide(services))
  )

  it.effect("lists the caller's spare parts, newest first, page by page", () =>
    Effect.gen(function* () {
      const spareParts = yield* SpareParts
      for (const name of ["a", "b", "c"]) yield* spareParts.create(caller(1), name)
      yield* spareParts.create(caller(2), "foreign")
      const page = yield* spareParts.list(caller(1), { limit: 2, offset: 0 })
      assert.deepStrictEqual([page.spareParts.map(({ name }) => name), page.total], [["c", "b"], 3])
      assert.strictEqual((yield* spareParts.list(caller(1, "all"), { limit: 10, offset: 3 })).spareParts.length, 1)
    }).pipe(Effect.provide(services))
  )

  it.effect("renames when asked at once by several: each change counts, none is lost", () =>
    Effect.gen(function* () {
      const spareParts = yield* SpareParts
      const { sparePartId } = yield* spareParts.create(caller(1), "first")
      const names = ["second", "third", "fourth"]
      yield* Effect.forEach(names, (name) => spareParts.rename(caller(1), sparePartId, name), { concurrency: 3 })
      const { name, version } = yield* spareParts.get(caller(1), sparePartId)
      assert.strictEqual(version, 4)
      assert.include(names, name)
    }).pipe(Effect.provide(services))
  )

  it.effect("gives up with SparePartContended after losing three times", () =>
    Effect.gen(function* () {
      const known = yield* SparePartStore
      const losing = SparePartStore.of({ ...known, replace: () => Effect.succeed(false) })
      const contended = yield* Effect.gen(function* () {
        const spareParts = yield* SpareParts
        const { sparePartId } = yield* spareParts.create(caller(1), "first")
        return yield* Effect.flip(spareParts.rename(caller(1), sparePartId, "second"))
      }).pipe(
        Effect.provide(SpareParts.layer.pipe(Layer.provide([Layer.succeed(SparePartStore, losing), Ids.layerMemory])))
      )
      assert.strictEqual(contended._tag, "SparePartContended")
    }).pipe(Effect.provide(store))
  )
})
