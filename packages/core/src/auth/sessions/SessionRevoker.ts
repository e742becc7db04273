/** Ends sessions inside the caller's transaction and sends the wake-ups. After the commit the caller makes `LiveCredentials` forget them. */
import { Context, type DateTime, Effect, Layer, Option } from "effect"
import type { SessionId } from "../../ids/SessionId.ts"
import type { UserId } from "../../ids/UserId.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { Wakeups } from "../../wakeups/Wakeups.ts"
import { AuthEvents, type UserEvent } from "../AuthEvents.ts"
import { sessionTopic } from "../LiveCredentials.ts"
import type { RequestSource } from "../RequestSource.ts"
import { SessionStore } from "./SessionStore.ts"

export class SessionRevoker extends Context.Service<
  SessionRevoker,
  {
    /** Ends one session and appends why. A session that has ended is left alone, without an event. */
    revoke(
      id: SessionId,
      at: DateTime.Utc,
      source: RequestSource,
      why: (userId: UserId) => UserEvent
    ): Effect.Effect<void, StorageError>
    /** Ends every live session of the user except `kept`; returns those it ended, in any order. Appends no event. */
    revokeAll(
      userId: UserId,
      kept: SessionId | undefined,
      at: DateTime.Utc
    ): Effect.Effect<ReadonlyArray<SessionId>, StorageError>
    /** Ends what is more than `limit` live sessions of the user, the oldest first, because `newest` began. Appends an event for each. */
    revokeOldest(
      userId: UserId,
      newest: SessionId,
      limit: number,
      at: DateTime.Utc,
      source: RequestSource
    ): Effect.Effect<ReadonlyArray<SessionId>, StorageError>
  }
>()("@fairlead/core/auth/sessions/SessionRevoker") {
  static readonly layer = Layer.effect(
    SessionRevoker,
    Effect.gen(function* () {
      const [sessions, events, wakeups] = [yield* SessionStore, yield* AuthEvents, yield* Wakeups]
      return SessionRevoker.of({
        revoke: Effect.fnUntraced(function* (id, at, source, why) {
          const ended = yield* sessions.revoke(id, at)
          if (Option.isNone(ended)) return
          const { userId } = ended.value
          yield* events.ofUser(userId, source, [why(userId)])
          yield* wakeups.send(sessionTopic(id))
        }),
        revokeAll: Effect.fnUntraced(function* (userId, kept, at) {
          const ended = yield* sessions.revokeAll(userId, kept, at)
          for (const id of ended) yield* wakeups.send(sessionTopic(id))
          return ended
        }),
        revokeOldest: Effect.fnUntraced(function* (userId, newest, limit, at, source) {
          const ended = yield* sessions.revokeOldest(userId, newest, limit, at)
          if (ended.length === 0) return ended
          const loggedOut: UserEvent = { _tag: "UserLoggedOut", userId, logoutReason: "too_many_sessions" }
          yield* events.ofUser(
            userId,
            source,
            ended.map(() => loggedOut)
          )
          for (const id of ended) yield* wakeups.send(sessionTopic(id))
          return ended
        })
      })
    })
  )
}
