/** Tokens for a session. None outlives it. */
import { DateTime, Effect, type Redacted } from "effect"
import { AuthOptions } from "../../AuthOptions.ts"
import { Csrf } from "../../csrf/Csrf.ts"
import type { User } from "../../users/User.ts"
import { type AccessTokenKind, AccessTokens } from "../AccessTokens.ts"
import type { Session } from "../Session.ts"
import type { SessionTokens } from "../SessionTokens.ts"

export const makeIssue = Effect.gen(function* () {
  const options = yield* AuthOptions
  const accessTokens = yield* AccessTokens
  const csrf = yield* Csrf

  return Effect.fnUntraced(function* (session: Session, user: User, refreshToken: Redacted.Redacted) {
    const { sessionId, userId } = session
    const now = yield* DateTime.now
    const leftSeconds = Math.floor((session.expiresAt.epochMilliseconds - now.epochMilliseconds) / 1000)
    const accessTokenSeconds = Math.min(options.accessTokenSeconds, leftSeconds)
    const cookieTokenSeconds = Math.min(options.cookieTokenSeconds, leftSeconds)
    const sign = (kind: AccessTokenKind, seconds: number) =>
      accessTokens.sign({ kind, userId, sessionId, expiresAt: DateTime.add(now, { seconds }) })
    const tokens: SessionTokens = {
      user,
      sessionId,
      accessToken: yield* sign("bearer", accessTokenSeconds),
      accessTokenSeconds,
      cookieToken: yield* sign("cookie", cookieTokenSeconds),
      cookieTokenSeconds,
      refreshToken,
      csrfToken: yield* csrf.issue(sessionId)
    }
    return tokens
  })
})
