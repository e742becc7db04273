/** Writes the facts of the auth areas to the event log. Joins the caller's transaction. */
import { Context, Effect, Layer } from "effect"
import { EventFactory } from "../events/EventFactory.ts"
import { EventLog } from "../events/EventLog.ts"
import type { UserEvents } from "../events/UserEvents.ts"
import type { UserId } from "../ids/UserId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { type RequestSource, storedSource } from "./RequestSource.ts"
import type { User } from "./users/User.ts"

export type UserEvent = (typeof UserEvents)[number]["Type"]

/** The stream of everything that names no user for certain. */
export const failuresStream = "auth/failures"
export const userStream = (id: UserId): `user/${string}` => `user/${id}`

export class AuthEvents extends Context.Service<
  AuthEvents,
  {
    /** Appends to the user's own stream, in the order given. */
    ofUser(id: UserId, source: RequestSource, events: ReadonlyArray<UserEvent>): Effect.Effect<void, StorageError>
    /**
     * Appends a failed check of a password to `auth/failures`. Names the user only if there is one: what was typed in the place
     * of a name may be a password.
     */
    failure(
      user: User | undefined,
      source: RequestSource,
      reason: string,
      locked: boolean
    ): Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/auth/AuthEvents") {
  static readonly layer = Layer.effect(
    AuthEvents,
    Effect.gen(function* () {
      const log = yield* EventLog
      const factory = yield* EventFactory

      const append = Effect.fnUntraced(function* (
        stream: string,
        about: { readonly aggregateId: string; readonly userId?: UserId | undefined },
        source: RequestSource,
        events: ReadonlyArray<UserEvent>
      ) {
        yield* log.append(stream, yield* factory.makeAll({ ...storedSource(source), ...about }, events))
      })

      return AuthEvents.of({
        ofUser: (userId, source, events) => append(userStream(userId), { aggregateId: userId, userId }, source, events),
        failure: (user, source, reason, locked) => {
          const { ipAddress = null } = storedSource(source)
          const failed: UserEvent = { _tag: "AuthFailed", username: user?.username ?? null, reason, ipAddress }
          const violation: UserEvent = {
            _tag: "SecurityViolation",
            userId: user?.userId ?? null,
            violationType: "login_locked",
            details: "too many wrong passwords",
            ipAddress
          }
          const about = { aggregateId: user?.userId ?? failuresStream, userId: user?.userId }
          return append(failuresStream, about, source, locked ? [failed, violation] : [failed])
        }
      })
    })
  )
}
