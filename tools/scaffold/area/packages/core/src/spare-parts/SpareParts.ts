/** Use cases on spare parts: create, look up, list, rename. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { mayTouch, ownerFilter, type Principal } from "../auth/Principal.ts"
import type { Permission } from "../auth/roles/Permission.ts"
import { Ids } from "../ids/Ids.ts"
import { SparePartId } from "../ids/SparePartId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { rename, SparePart } from "./SparePart.ts"
import { SparePartContended, SparePartNotFound, type SparePartUnchanged } from "./SparePartError.ts"
import { type SparePartFilter, SparePartStore } from "./SparePartStore.ts"

export class SpareParts extends Context.Service<
  SpareParts,
  {
    create(caller: Principal, name: string): Effect.Effect<SparePart, StorageError>
    get(caller: Principal, id: SparePartId): Effect.Effect<SparePart, SparePartNotFound | StorageError>
    /** SpareParts the caller may see, newest first. */
    list(
      caller: Principal,
      filter: Omit<SparePartFilter, "ownerId">
    ): Effect.Effect<{ readonly spareParts: ReadonlyArray<SparePart>; readonly total: number }, StorageError>
    /** Decides again when another writer was faster, up to three times; then fails with `SparePartContended`. */
    rename(
      caller: Principal,
      id: SparePartId,
      name: string
    ): Effect.Effect<SparePart, SparePartNotFound | SparePartUnchanged | SparePartContended | StorageError>
  }
>()("@fairlead/core/spare-parts/SpareParts") {
  static readonly layer = Layer.effect(
    SpareParts,
    Effect.gen(function* () {
      const [ids, store] = [yield* Ids, yield* SparePartStore]

      const find = Effect.fnUntraced(function* (caller: Principal, permission: Permission, id: SparePartId) {
        const found = yield* store.find(id)
        if (Option.isNone(found) || !mayTouch(caller, permission, found.value.ownerId))
          return yield* new SparePartNotFound({ sparePartId: id })
        return found.value
      })

      return SpareParts.of({
        create: Effect.fn("SpareParts.create")(function* (caller, name) {
          const sparePartId = SparePartId.make(yield* ids.uuid)
          const createdAt = yield* DateTime.now
          const ownerId = caller.userId
          const sparePart = new SparePart({ sparePartId, ownerId, name, version: 1, createdAt, updatedAt: createdAt })
          yield* store.insert(sparePart)
          return sparePart
        }),
        get: Effect.fn("SpareParts.get")((caller, id) => find(caller, "spare-parts:read", id)),
        list: Effect.fn("SpareParts.list")((caller, filter) =>
          store.list({ ...filter, ownerId: ownerFilter(caller, "spare-parts:read") })
        ),
        rename: Effect.fn("SpareParts.rename")(function* (caller, id, name) {
          for (let attempt = 1; attempt <= 3; attempt++) {
            const sparePart = yield* find(caller, "spare-parts:write", id)
            const renamed = yield* Effect.fromResult(rename(sparePart, name, yield* DateTime.now))
            if (yield* store.replace(renamed)) return renamed
          }
          return yield* new SparePartContended({ sparePartId: id })
        })
      })
    })
  )
}
