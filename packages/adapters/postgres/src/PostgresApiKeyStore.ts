/** `ApiKeyStore` over `api_keys`. */
import { ApiKey } from "@fairlead/core/auth/api-keys/ApiKey"
import { ApiKeyStore } from "@fairlead/core/auth/api-keys/ApiKeyStore"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { jsonText } from "./internal/jsonText.ts"
import { storageError } from "./PostgresError.ts"

const stored = jsonText(ApiKey)
const encode = Schema.encodeEffect(stored)
const decode = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ api_key: stored, key_hash: Schema.String })))
const decodeKeys = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ api_key: stored })))
const encodeUse = Schema.encodeEffect(jsonText(Schema.Struct({ lastUsedAt: Schema.DateTimeUtcFromString })))

export const layer = Layer.effect(
  ApiKeyStore,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return ApiKeyStore.of({
      insert: Effect.fnUntraced(
        function* ({ apiKey, keyHash }, maximum) {
          // Keys of one owner are added one after the other; a statement of its own counts what the one before left.
          yield* sql`select pg_advisory_xact_lock(hashtextextended(${`api_keys ${apiKey.ownerId}`}, 0))`
          const [held] = yield* sql<{
            readonly keys: number
          }>`select count(*)::int as keys from api_keys where owner_id = ${apiKey.ownerId}`
          if ((held?.keys ?? 0) >= maximum) return false
          const added = yield* sql`insert into api_keys (api_key_id, owner_id, key_hash, api_key)
            values (${apiKey.apiKeyId}, ${apiKey.ownerId}, ${keyHash}, ${yield* encode(apiKey)}::text::jsonb)
            on conflict do nothing returning api_key_id`
          return added.length > 0 ? true : yield* Effect.die(`API key ${apiKey.apiKeyId} exists`)
        },
        sql.withTransaction,
        storageError("ApiKeyStore.insert")
      ),

      find: Effect.fnUntraced(function* (id) {
        const [row] = yield* decode(
          yield* sql`select api_key::text as api_key, key_hash from api_keys where api_key_id = ${id}`
        )
        return Option.map(Option.fromUndefinedOr(row), ({ api_key, key_hash }) => ({
          apiKey: api_key,
          keyHash: key_hash
        }))
      }, storageError("ApiKeyStore.find")),

      list: Effect.fnUntraced(function* (ownerId) {
        const rows = yield* decode(
          yield* sql`select api_key::text as api_key, key_hash from api_keys where owner_id = ${ownerId}
            order by api_key_id desc limit 500`
        )
        return rows.map(({ api_key }) => api_key)
      }, storageError("ApiKeyStore.list")),

      remove: Effect.fnUntraced(function* (ownerId, id) {
        const gone = yield* decodeKeys(
          yield* sql`with recursive gone as (
              select api_key_id from api_keys where api_key_id = ${id} and owner_id = ${ownerId}
              union
              select made.api_key_id from api_keys made join gone on made.api_key ->> 'madeWith' = gone.api_key_id::text
              where made.owner_id = ${ownerId})
            delete from api_keys where api_key_id in (select api_key_id from gone) returning api_key::text as api_key`
        )
        return gone.map(({ api_key }) => api_key)
      }, storageError("ApiKeyStore.remove")),

      removeAll: Effect.fnUntraced(function* (ownerId) {
        const gone = yield* decodeKeys(
          yield* sql`delete from api_keys where api_key_id in (
              select api_key_id from api_keys where owner_id = ${ownerId} limit 500) returning api_key::text as api_key`
        )
        return gone.map(({ api_key }) => api_key)
      }, storageError("ApiKeyStore.removeAll")),

      touch: Effect.fnUntraced(function* (id, at) {
        const bound = DateTime.formatIso(DateTime.subtract(at, { minutes: 1 }))
        yield* sql`update api_keys set last_used_at = ${DateTime.formatIso(at)},
            api_key = api_key || ${yield* encodeUse({ lastUsedAt: at })}::text::jsonb
          where api_key_id = ${id} and (last_used_at is null or last_used_at <= ${bound})`
      }, storageError("ApiKeyStore.touch"))
    })
  })
)
