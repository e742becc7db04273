/**
 * What a session or an API key is worth right now, from memory where possible. Wake-ups drop what changed, on every instance; what
 * no wake-up told is noticed when the entry ages out. Only the auth areas use it.
 */
import { Cache, Clock, Context, DateTime, Deferred, Effect, Exit, Layer, Option, RcMap, Stream } from "effect"
import { ApiKeyId } from "../ids/ApiKeyId.ts"
import { SessionId } from "../ids/SessionId.ts"
import { UserId } from "../ids/UserId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups, type WakeupTopic } from "../wakeups/Wakeups.ts"
import { WakeupWaiters } from "../wakeups/WakeupWaiters.ts"
import { AuthOptions } from "./AuthOptions.ts"
import type { ApiKey } from "./api-keys/ApiKey.ts"
import { type ApiKeyRecord, ApiKeyStore } from "./api-keys/ApiKeyStore.ts"
import type { Credential, Principal } from "./Principal.ts"
import { isLive, type Session } from "./sessions/Session.ts"
import { SessionStore } from "./sessions/SessionStore.ts"
import type { User } from "./users/User.ts"
import { UserStore } from "./users/UserStore.ts"

/** Longest time between two looks of a waiter at the truth, because hints may be lost. */
const sweepMillis = 30_000

export class LiveCredentials extends Context.Service<
  LiveCredentials,
  {
    /** The session and its user; none if it ended or the user is not active. */
    session(id: SessionId): Effect.Effect<Option.Option<LiveSession>, StorageError>
    /** The key and its owner; none if it is revoked or expired or the owner is not active. */
    apiKey(id: ApiKeyId): Effect.Effect<Option.Option<ApiKeyRecord & { readonly user: User }>, StorageError>
    /** The user; none if there is no such user or it is not active. */
    user(id: UserId): Effect.Effect<Option.Option<User>, StorageError>
    /** Goes up whenever this instance drops something that it kept. What was concluded from what it kept holds no longer than that. */
    readonly drops: () => number
    /** Drops what this instance keeps about `session/…`, `user/…` or `api-key/…`. Call it after a commit that sent the topic. */
    forget(topic: WakeupTopic): Effect.Effect<void>
    /** Waits until the caller's credential ends (one that is none never does), or the user has another role than the caller was told. */
    awaitRevocation(caller: Principal): Effect.Effect<void>
  }
>()("@fairlead/core/auth/LiveCredentials") {
  static readonly layer = Layer.effect(
    LiveCredentials,
    Effect.gen(function* () {
      const { cacheEntries, cacheMillis } = yield* AuthOptions
      const waiters = yield* WakeupWaiters
      const [sessionStore, userStore, apiKeyStore] = [yield* SessionStore, yield* UserStore, yield* ApiKeyStore]

      /** What was found, and until when it may be kept. */
      const aging = Effect.fnUntraced(function* <A>(find: Effect.Effect<A, StorageError>) {
        const untilMillis = (yield* Clock.currentTimeMillis) + cacheMillis
        return { found: yield* find, untilMillis }
      })

      // One cache a store: an entry whose topic is dropped while it is being read is not kept.
      const options = {
        capacity: cacheEntries,
        timeToLive: (exit: Exit.Exit<unknown, unknown>) => (Exit.isSuccess(exit) ? cacheMillis : 0)
      }
      const sessions = yield* Cache.makeWith((id: string) => aging(sessionStore.find(SessionId.make(id))), options)
      const users = yield* Cache.makeWith((id: string) => aging(userStore.find(UserId.make(id))), options)
      const apiKeys = yield* Cache.makeWith((id: string) => apiKeyStore.find(ApiKeyId.make(id)), options)

      let drops = 0
      /** After the drop: whoever read before it, read the number before it too. */
      const dropped = Effect.sync(() => void drops++)

      const invalidate = (topic: WakeupTopic) => {
        const id = topic.slice(topic.indexOf("/") + 1)
        if (topic.startsWith("session/")) return Cache.invalidate(sessions, id)
        if (topic.startsWith("user/")) return Cache.invalidate(users, id)
        if (topic.startsWith("api-key/")) return Cache.invalidate(apiKeys, id)
        return Effect.void
      }
      const forget = (topic: WakeupTopic) => Effect.andThen(invalidate(topic), dropped)
      const forgetAll = Effect.all([
        Cache.invalidateAll(sessions),
        Cache.invalidateAll(users),
        Cache.invalidateAll(apiKeys),
        dropped
      ])
      yield* (yield* Wakeups).all.pipe(
        Stream.runForEach((topic) => (topic === "wakeups/lost" ? forgetAll : forget(topic))),
        Effect.forkScoped
      )

      const agingUser = (id: UserId) =>
        Effect.map(Cache.get(users, id), ({ found, untilMillis }) =>
          Option.flatMap(found, ({ user }) => (user.isActive ? Option.some({ user, untilMillis }) : Option.none()))
        )
      const activeUser = (id: UserId) =>
        Effect.map(
          agingUser(id),
          Option.map(({ user }) => user)
        )

      const session = Effect.fnUntraced(function* (id: SessionId) {
        const { found, untilMillis } = yield* Cache.get(sessions, id)
        if (Option.isNone(found) || !isLive(found.value, yield* DateTime.now)) return Option.none()
        const session = found.value
        return Option.map(
          yield* agingUser(session.userId),
          (owner): LiveSession => ({
            session,
            user: owner.user,
            untilMillis: Math.min(untilMillis, owner.untilMillis, session.expiresAt.epochMilliseconds)
          })
        )
      })

      const apiKey = Effect.fnUntraced(function* (id: ApiKeyId) {
        const found = yield* Cache.get(apiKeys, id)
        if (Option.isNone(found) || isExpired(found.value.apiKey, yield* DateTime.now)) return Option.none()
        return Option.map(yield* activeUser(found.value.apiKey.ownerId), (user) => ({ ...found.value, user }))
      })

      const holderOf = (credential: StoredCredential) =>
        credential._tag === "ApiKey"
          ? Effect.map(
              apiKey(credential.apiKeyId),
              Option.map(({ user }) => user)
            )
          : Effect.map(
              session(credential.sessionId),
              Option.map(({ user }) => user)
            )

      const holds = ({ credential, role }: Holding) =>
        holderOf(credential).pipe(
          Effect.map((user) => Option.isSome(user) && user.value.role === role),
          // While the store is away nobody can tell: the wait goes on, and requests fail by themselves.
          Effect.catchTag("StorageError", () => Effect.succeed(true))
        )

      const ended = Effect.fnUntraced(function* (holding: Holding) {
        const { credential, userId, validUntilMillis } = holding
        const topics = [userTopic(userId), topicOf(credential)]
        const hint = yield* waiters.on(topics, sweepMillis)
        const forgotten = Effect.forEach(topics, forget, { discard: true })
        while (true) {
          const leftMillis = validUntilMillis - (yield* Clock.currentTimeMillis)
          if (leftMillis <= 0 || !(yield* holds(holding))) return
          yield* Effect.raceFirst(hint, Effect.sleep(Math.min(leftMillis, sweepMillis)))
          // The hint may have come here before it came to the caches.
          yield* forgotten
        }
      }, Effect.scoped)

      /** One watch serves all who wait for the end of the same: a user may have thousands of streams. */
      const ends = yield* RcMap.make({
        lookup: Effect.fnUntraced(function* (holding: Holding) {
          const end = yield* Deferred.make<void>()
          yield* ended(holding).pipe(Effect.andThen(Deferred.succeed(end, undefined)), Effect.forkScoped)
          return Deferred.await(end)
        })
      })

      const awaitRevocation = ({ credential, role, userId, validUntil }: Principal) => {
        if (credential._tag === "None") return Effect.never
        const validUntilMillis = validUntil?.epochMilliseconds ?? Number.POSITIVE_INFINITY
        return Effect.scoped(Effect.flatten(RcMap.get(ends, { credential, role, userId, validUntilMillis })))
      }

      return LiveCredentials.of({ session, apiKey, user: activeUser, drops: () => drops, forget, awaitRevocation })
    })
  )
}

export interface LiveSession {
  readonly session: Session
  readonly user: User
  /** Until then both hold, unless something is dropped: an end of the session, or the age of what is known. */
  readonly untilMillis: number
}

/** The topics on which changes are told. */
export const sessionTopic = (id: SessionId): WakeupTopic => `session/${id}`
export const userTopic = (id: UserId): WakeupTopic => `user/${id}`
export const apiKeyTopic = (id: ApiKeyId): WakeupTopic => `api-key/${id}`

/** A credential that can end. */
type StoredCredential = Exclude<Credential, { readonly _tag: "None" }>

/** What a caller was told to have; equal for all requests with the same credential. */
interface Holding extends Pick<Principal, "role" | "userId"> {
  readonly credential: StoredCredential
  readonly validUntilMillis: number
}

const topicOf = (credential: StoredCredential) =>
  credential._tag === "ApiKey" ? apiKeyTopic(credential.apiKeyId) : sessionTopic(credential.sessionId)

const isExpired = ({ expiresAt }: ApiKey, now: DateTime.Utc) =>
  expiresAt !== undefined && DateTime.isLessThanOrEqualTo(expiresAt, now)
