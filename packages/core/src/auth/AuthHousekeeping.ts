/** Removes what has run out, every five minutes: sessions that expired and failed logins that nobody counts any more. */
import { DateTime, Effect, Layer, Schedule } from "effect"
import { SessionStore } from "./sessions/SessionStore.ts"
import { LoginAttemptStore } from "./users/LoginAttemptStore.ts"

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const sessions = yield* SessionStore
    const attempts = yield* LoginAttemptStore
    const tidy = Effect.gen(function* () {
      const now = yield* DateTime.now
      yield* sessions.prune(now)
      yield* attempts.prune(now.epochMilliseconds)
    })
    yield* tidy.pipe(
      // The rows are harmless and the next time comes: a store that is away is no reason to stop.
      Effect.catchTag("StorageError", (error) => Effect.logWarning("auth housekeeping failed", error.operation)),
      Effect.schedule(Schedule.spaced("5 minutes")),
      Effect.forkScoped
    )
  })
)
