/** Use cases on API keys. A key acts as its owner, with the owner's grants of the moment. */
import { Cache, Context, DateTime, Effect, Exit, Layer, Option, Redacted } from "effect"
import { Digest } from "effect/crypto"
import { ApiKeyId } from "../../ids/ApiKeyId.ts"
import { Ids } from "../../ids/Ids.ts"
import type { UserId } from "../../ids/UserId.ts"
import { Storage } from "../../storage/Storage.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { Wakeups } from "../../wakeups/Wakeups.ts"
import { ApiKeyNotFound, ApiKeysExhausted, TokenRejected } from "../AuthError.ts"
import { AuthEvents } from "../AuthEvents.ts"
import { AuthOptions } from "../AuthOptions.ts"
import { sameSecret } from "../internal/secretText.ts"
import { apiKeyTopic, LiveCredentials } from "../LiveCredentials.ts"
import type { Principal } from "../Principal.ts"
import type { RequestSource } from "../RequestSource.ts"
import { grantsOf } from "../roles/Role.ts"
import { ApiKey } from "./ApiKey.ts"
import { type ApiKeyRecord, ApiKeyStore } from "./ApiKeyStore.ts"
import { keyText, readKeyText } from "./ApiKeyText.ts"

export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /**
     * `key` is shown this once. `expiresInDays` is 1 to 3,650; without it the key does not expire. A key that is made with another
     * one ends with it at the latest. A user holds at most 50.
     */
    create(
      caller: Principal,
      request: { readonly name: string; readonly expiresInDays?: number | undefined },
      source: RequestSource
    ): Effect.Effect<{ readonly apiKey: ApiKey; readonly key: Redacted.Redacted }, ApiKeysExhausted | StorageError>
    /** The caller's keys, newest first; at most 50. */
    list(caller: Principal): Effect.Effect<ReadonlyArray<ApiKey>, StorageError>
    /** Ends the key, and those made with it, at once on every instance. */
    revoke(caller: Principal, id: ApiKeyId, source: RequestSource): Effect.Effect<void, ApiKeyNotFound | StorageError>
    /** Ends all keys of the user in the caller's transaction, which then makes `LiveCredentials` forget the returned ones. */
    revokeAll(userId: UserId, source: RequestSource): Effect.Effect<ReadonlyArray<ApiKeyId>, StorageError>
    /** Who a key stands for, right now: revoked and expired keys and inactive owners are refused within a second. */
    authenticate(key: Redacted.Redacted): Effect.Effect<Principal, TokenRejected | StorageError>
  }
>()("@fairlead/core/auth/api-keys/ApiKeys") {
  static readonly layer = Layer.effect(
    ApiKeys,
    Effect.gen(function* () {
      const { apiKeysPerUser, cacheEntries } = yield* AuthOptions
      const [storage, store, wakeups] = [yield* Storage, yield* ApiKeyStore, yield* Wakeups]
      const [ids, digest] = [yield* Ids, yield* Digest.Digest]
      const [events, live] = [yield* AuthEvents, yield* LiveCredentials]

      // What a key says never changes; whether it is good is asked each time.
      const presented = yield* Cache.makeWith(
        (key: string) => Effect.provideService(readKeyText(key), Digest.Digest, digest),
        { capacity: cacheEntries, timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 hour" : 0) }
      )

      const authenticate = Effect.fnUntraced(function* (key: Redacted.Redacted) {
        const { apiKeyId, keyHash } = yield* Cache.get(presented, Redacted.value(key))
        const found = yield* live.apiKey(apiKeyId)
        if (Option.isNone(found) || !sameSecret(found.value.keyHash, keyHash)) return yield* new TokenRejected()
        yield* noteUse(found.value.apiKey)
        const { role, userId, username } = found.value.user
        const { expiresAt } = found.value.apiKey
        const principal: Principal = {
          userId,
          username,
          role,
          grants: grantsOf(role),
          credential: { _tag: "ApiKey", apiKeyId },
          ...(expiresAt === undefined ? {} : { validUntil: expiresAt })
        }
        return principal
      })

      const noteUse = Effect.fnUntraced(function* ({ apiKeyId, lastUsedAt }: ApiKey) {
        const now = yield* DateTime.now
        const lastMillis = lastUsedAt?.epochMilliseconds ?? Number.NEGATIVE_INFINITY
        if (now.epochMilliseconds - lastMillis < 60_000) return
        yield* store.touch(apiKeyId, now)
        yield* live.forget(apiKeyTopic(apiKeyId))
      })

      const add = Effect.fnUntraced(function* (record: ApiKeyRecord, source: RequestSource) {
        if (!(yield* store.insert(record, apiKeysPerUser)))
          return yield* new ApiKeysExhausted({ maximum: apiKeysPerUser })
        const { apiKeyId, name, ownerId: userId } = record.apiKey
        yield* events.ofUser(userId, source, [{ _tag: "ApiKeyCreated", userId, apiKeyId, name }])
      })

      const create = Effect.fn("ApiKeys.create")(function* (
        caller: Principal,
        { expiresInDays, name }: { readonly name: string; readonly expiresInDays?: number | undefined },
        source: RequestSource
      ) {
        const createdAt = yield* DateTime.now
        const apiKeyId = ApiKeyId.make(yield* ids.uuid)
        const wanted = expiresInDays === undefined ? undefined : DateTime.add(createdAt, { days: expiresInDays })
        const madeWith = caller.credential._tag === "ApiKey" ? caller.credential : undefined
        const expiresAt = earlier(wanted, madeWith && caller.validUntil)
        const key = yield* Effect.provideService(keyText(apiKeyId, yield* ids.token(32)), Digest.Digest, digest)
        const { keyHash } = yield* Effect.orDie(Cache.get(presented, key))
        const apiKey = new ApiKey({
          apiKeyId,
          ownerId: caller.userId,
          name,
          createdAt,
          ...(madeWith === undefined ? {} : { madeWith: madeWith.apiKeyId }),
          ...(expiresAt === undefined ? {} : { expiresAt })
        })
        yield* storage.transaction(add({ apiKey, keyHash }, source))
        return { apiKey, key: Redacted.make(key) }
      })

      /** Records the end of removed keys; joins the caller's transaction. */
      const recordEnd = Effect.fnUntraced(function* (
        userId: UserId,
        gone: ReadonlyArray<ApiKey>,
        source: RequestSource
      ) {
        if (gone.length === 0) return []
        const revoked = gone.map(({ apiKeyId, name }) => ({ _tag: "ApiKeyRevoked" as const, userId, apiKeyId, name }))
        yield* events.ofUser(userId, source, revoked)
        for (const { apiKeyId } of gone) yield* wakeups.send(apiKeyTopic(apiKeyId))
        return gone.map(({ apiKeyId }) => apiKeyId)
      })

      const revoke = Effect.fn("ApiKeys.revoke")(function* (caller: Principal, id: ApiKeyId, source: RequestSource) {
        const { userId } = caller
        const remove = Effect.gen(function* () {
          const gone = yield* store.remove(userId, id)
          if (gone.length === 0) return yield* new ApiKeyNotFound({ apiKeyId: id })
          return yield* recordEnd(userId, gone, source)
        })
        const ended = yield* storage.transaction(remove)
        yield* Effect.forEach(ended, (apiKeyId) => live.forget(apiKeyTopic(apiKeyId)), { discard: true })
      })

      return ApiKeys.of({
        create,
        list: Effect.fn("ApiKeys.list")((caller) => store.list(caller.userId)),
        revoke,
        revokeAll: Effect.fnUntraced(function* (userId, source) {
          return yield* recordEnd(userId, yield* store.removeAll(userId), source)
        }),
        authenticate
      })
    })
  )
}

const earlier = (one: DateTime.Utc | undefined, other: DateTime.Utc | undefined) =>
  one === undefined || other === undefined ? (one ?? other) : DateTime.min(one, other)
