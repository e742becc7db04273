/** From a refresh token to the next one, and the end of the session for whoever comes with an old one. */
import { DateTime, Effect, Option, type Redacted } from "effect"
import type { SessionId } from "../../../ids/SessionId.ts"
import type { UserId } from "../../../ids/UserId.ts"
import { Storage } from "../../../storage/Storage.ts"
import { StorageError } from "../../../storage/StorageError.ts"
import { TokenRejected } from "../../AuthError.ts"
import type { UserEvent } from "../../AuthEvents.ts"
import { AuthOptions } from "../../AuthOptions.ts"
import { LiveCredentials, sessionTopic } from "../../LiveCredentials.ts"
import { type RequestSource, storedSource } from "../../RequestSource.ts"
import { Logins } from "../../users/Logins.ts"
import { RefreshTokens } from "../RefreshTokens.ts"
import { judgeRefresh, rotate } from "../Session.ts"
import { SessionRevoker } from "../SessionRevoker.ts"
import { SessionStore } from "../SessionStore.ts"
import { makeIssue } from "./issue.ts"

export const makeRefresh = Effect.gen(function* () {
  const { refreshGraceMillis, sessionSeconds } = yield* AuthOptions
  const [storage, sessions, revoker] = [yield* Storage, yield* SessionStore, yield* SessionRevoker]
  const [refreshTokens, live, logins] = [yield* RefreshTokens, yield* LiveCredentials, yield* Logins]
  const issue = yield* makeIssue

  /** One look at the session and at most one write. `lost`: a rival wrote meanwhile. */
  const exchange = Effect.fnUntraced(function* (
    claim: { readonly sessionId: SessionId; readonly hash: string },
    nextHash: string,
    source: RequestSource
  ) {
    const at = yield* DateTime.now
    const found = yield* sessions.find(claim.sessionId)
    if (Option.isNone(found)) return "refused"
    const session = found.value
    const verdict = judgeRefresh(session, claim.hash, at, refreshGraceMillis)
    if (verdict === "Unknown") return "refused"
    if (verdict === "Reuse") {
      yield* revoker.revoke(session.sessionId, at, source, reuseFrom(source))
      return "refused"
    }
    const owner = yield* logins.findActive(session.userId)
    if (Option.isNone(owner)) return "refused"
    const user = owner.value
    // A token that was rotated under another secret has another successor now, which nobody holds.
    if (verdict === "Replay") return session.refreshHash === nextHash ? { session, user } : "refused"
    const expiresAt = DateTime.add(at, { seconds: sessionSeconds })
    const rotated = rotate(session, { refreshHash: nextHash, at, expiresAt })
    return (yield* sessions.replace(rotated)) ? { session: rotated, user } : "lost"
  }, storage.transaction)

  return Effect.fn("Sessions.refresh")(function* (presented: Redacted.Redacted, source: RequestSource) {
    const claim = yield* refreshTokens.read(presented)
    if (Option.isNone(claim)) return yield* new TokenRejected()
    const next = yield* refreshTokens.successor(presented)
    for (let attempt = 0; attempt < 3; attempt++) {
      const outcome = yield* exchange(claim.value, next.hash, source)
      if (outcome === "lost") continue
      yield* live.forget(sessionTopic(claim.value.sessionId))
      if (outcome === "refused") return yield* new TokenRejected()
      return yield* issue(outcome.session, outcome.user, next.token)
    }
    return yield* new StorageError({
      operation: "Sessions.refresh",
      retryable: true,
      cause: "lost to rivals three times"
    })
  })
})

const reuseFrom =
  (source: RequestSource) =>
  (userId: UserId): UserEvent => ({
    _tag: "SecurityViolation",
    userId,
    violationType: "refresh_token_reuse",
    details: "a refresh token was used again after its grace; the session was ended",
    ipAddress: storedSource(source).ipAddress ?? null
  })
