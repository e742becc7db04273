/** Port: where spare parts are kept. Two writers of one spare part: the first wins, the second sees `false` and decides again. */
import { Context, Effect, Layer, Option } from "effect"
import type { SparePartId } from "../ids/SparePartId.ts"
import type { UserId } from "../ids/UserId.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SparePart } from "./SparePart.ts"

export interface SparePartFilter {
  /** Absent: everyone's. */
  readonly ownerId?: UserId | undefined
  /** 1 to 500. */
  readonly limit: number
  readonly offset: number
}

export class SparePartStore extends Context.Service<
  SparePartStore,
  {
    /** Adds a spare part. An id that exists is a defect. */
    insert(sparePart: SparePart): Effect.Effect<void, StorageError>
    find(id: SparePartId): Effect.Effect<Option.Option<SparePart>, StorageError>
    /** Stores `sparePart` if the stored version is exactly one below; `false` means that another writer won. One atomic step. */
    replace(sparePart: SparePart): Effect.Effect<boolean, StorageError>
    /** Newest first. `total` counts every match, whatever the page. */
    list(
      filter: SparePartFilter
    ): Effect.Effect<{ readonly spareParts: ReadonlyArray<SparePart>; readonly total: number }, StorageError>
  }
>()("@fairlead/core/spare-parts/SparePartStore") {
  static readonly layerMemory = Layer.effect(
    SparePartStore,
    Effect.map(MemoryDatabase, ({ table }) => {
      const rows = table<ReadonlyMap<SparePartId, SparePart>>(new Map())
      return SparePartStore.of({
        insert: (sparePart) =>
          Effect.flatMap(
            rows.modify((known) => [
              known.has(sparePart.sparePartId),
              known.has(sparePart.sparePartId) ? known : new Map(known).set(sparePart.sparePartId, sparePart)
            ]),
            (existed) => (existed ? Effect.die(`spare part ${sparePart.sparePartId} exists`) : Effect.void)
          ),
        find: (id) => Effect.map(rows.get, (known) => Option.fromUndefinedOr(known.get(id))),
        replace: (sparePart) =>
          rows.modify((known) =>
            known.get(sparePart.sparePartId)?.version === sparePart.version - 1
              ? [true, new Map(known).set(sparePart.sparePartId, sparePart)]
              : [false, known]
          ),
        list: ({ limit, offset, ownerId }) =>
          Effect.map(rows.get, (known) => {
            const found = [...known.values()]
              .filter((sparePart) => (ownerId ?? sparePart.ownerId) === sparePart.ownerId)
              .sort(newestFirst)
            return { spareParts: found.slice(offset, offset + limit), total: found.length }
          })
      })
    })
  )
}

const newestFirst = (a: SparePart, b: SparePart) => (a.sparePartId < b.sparePartId ? 1 : -1)
