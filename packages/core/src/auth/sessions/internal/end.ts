/** Ends one session and says why. */
import { type DateTime, Effect, Option } from "effect"
import { Wakeups } from "../../../bus/Wakeups.ts"
import { AuthEvents, type UserEvent } from "../../AuthEvents.ts"
import { sessionTopic } from "../../LiveCredentials.ts"
import type { Origin } from "../../Origin.ts"
import type { UserId } from "../../users/UserId.ts"
import type { SessionId } from "../SessionId.ts"
import { SessionStore } from "../SessionStore.ts"

export const makeEnd = Effect.gen(function* () {
  const sessions = yield* SessionStore
  const events = yield* AuthEvents
  const wakeups = yield* Wakeups

  /** Call it in a transaction. A session that has ended is left alone, without an event. */
  return Effect.fnUntraced(function* (
    id: SessionId,
    at: DateTime.Utc,
    origin: Origin,
    event: (userId: UserId) => UserEvent
  ) {
    const ended = yield* sessions.revoke(id, at)
    if (Option.isNone(ended)) return
    yield* events.ofUser(ended.value.userId, origin, [event(ended.value.userId)])
    yield* wakeups.send(sessionTopic(id))
  })
})

export type End = Effect.Success<typeof makeEnd>
