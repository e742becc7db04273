/** Port: where API keys are kept, as digests of their secrets. */
import { Context, type DateTime, Effect, Layer, Option } from "effect"
import type { ApiKeyId } from "../../ids/ApiKeyId.ts"
import type { UserId } from "../../ids/UserId.ts"
import { MemoryDatabase } from "../../storage/MemoryDatabase.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { ApiKey } from "./ApiKey.ts"

export interface ApiKeyRecord {
  readonly apiKey: ApiKey
  /** SHA-256 of the whole key, in hex. */
  readonly keyHash: string
}

export class ApiKeyStore extends Context.Service<
  ApiKeyStore,
  {
    /** Adds a key unless its owner holds `maximum` already, which is `false`; also among rivals. An id that exists is a defect. */
    insert(record: ApiKeyRecord, maximum: number): Effect.Effect<boolean, StorageError>
    find(id: ApiKeyId): Effect.Effect<Option.Option<ApiKeyRecord>, StorageError>
    /** The owner's keys, newest first; at most 500. */
    list(ownerId: UserId): Effect.Effect<ReadonlyArray<ApiKey>, StorageError>
    /** Removes the owner's key and every key made with it, directly or not. Returns them; none if the owner has no such key. */
    remove(ownerId: UserId, id: ApiKeyId): Effect.Effect<ReadonlyArray<ApiKey>, StorageError>
    /** Removes every key of the owner and returns them; at most 500. */
    removeAll(ownerId: UserId): Effect.Effect<ReadonlyArray<ApiKey>, StorageError>
    /** Notes a use at `at`, unless one was noted less than a minute before it or the key is gone. */
    touch(id: ApiKeyId, at: DateTime.Utc): Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/auth/api-keys/ApiKeyStore") {
  static readonly layerMemory = Layer.effect(
    ApiKeyStore,
    Effect.map(MemoryDatabase, ({ table }) => {
      const keys = table<ReadonlyMap<ApiKeyId, ApiKeyRecord>>(new Map())
      const heldBy = (rows: ReadonlyMap<ApiKeyId, ApiKeyRecord>, ownerId: UserId) =>
        [...rows.values()].map(({ apiKey }) => apiKey).filter((apiKey) => apiKey.ownerId === ownerId)
      return ApiKeyStore.of({
        insert: (record, maximum) =>
          Effect.flatMap(
            keys.modify((rows): readonly [boolean | "exists", typeof rows] => {
              const { apiKeyId, ownerId } = record.apiKey
              if (rows.has(apiKeyId)) return ["exists", rows]
              if (heldBy(rows, ownerId).length >= maximum) return [false, rows]
              return [true, new Map(rows).set(apiKeyId, record)]
            }),
            (added) =>
              added === "exists" ? Effect.die(`API key ${record.apiKey.apiKeyId} exists`) : Effect.succeed(added)
          ),
        find: (id) => Effect.map(keys.get, (rows) => Option.fromUndefinedOr(rows.get(id))),
        list: (ownerId) =>
          Effect.map(keys.get, (rows) =>
            heldBy(rows, ownerId)
              .sort((a, b) => (a.apiKeyId < b.apiKeyId ? 1 : -1))
              .slice(0, 500)
          ),
        remove: (ownerId, id) =>
          keys.modify((rows) => {
            return without(rows, withDescendants(heldBy(rows, ownerId), id))
          }),
        removeAll: (ownerId) => keys.modify((rows) => without(rows, heldBy(rows, ownerId).slice(0, 500))),
        touch: (id, at) =>
          keys.modify((rows) => {
            const known = rows.get(id)
            const last = known?.apiKey.lastUsedAt?.epochMilliseconds ?? Number.NEGATIVE_INFINITY
            if (known === undefined || at.epochMilliseconds - last < 60_000) return [undefined, rows]
            const apiKey = new ApiKey({ ...known.apiKey, lastUsedAt: at })
            return [undefined, new Map(rows).set(id, { ...known, apiKey })]
          })
      })
    })
  )
}

/** The key with this id among `owned`, and those made with it; `owned` is in no order. */
const withDescendants = (owned: ReadonlyArray<ApiKey>, id: ApiKeyId): ReadonlyArray<ApiKey> =>
  owned
    .filter(({ apiKeyId }) => apiKeyId === id)
    .flatMap((key) => [
      key,
      ...owned.filter(({ madeWith }) => madeWith === id).flatMap(({ apiKeyId }) => withDescendants(owned, apiKeyId))
    ])

const without = (
  rows: ReadonlyMap<ApiKeyId, ApiKeyRecord>,
  gone: ReadonlyArray<ApiKey>
): readonly [ReadonlyArray<ApiKey>, ReadonlyMap<ApiKeyId, ApiKeyRecord>] => {
  const ids = new Set(gone.map(({ apiKeyId }) => apiKeyId))
  return [gone, new Map([...rows].filter(([id]) => !ids.has(id)))]
}
