/** Who a token stands for. The path of every request: no span, and nothing but look-ups in memory while nothing changes. */
import { Cache, Clock, DateTime, Effect, Exit, Option, Redacted } from "effect"
import { TokenRejected } from "../../AuthError.ts"
import { AuthOptions } from "../../AuthOptions.ts"
import { LiveCredentials } from "../../LiveCredentials.ts"
import type { Principal } from "../../Principal.ts"
import { grantsOf } from "../../roles/Role.ts"
import { type AccessTokenKind, AccessTokens, clockSkewSeconds, isCurrent } from "../AccessTokens.ts"

/** Characters; longer tokens are refused unread. Ours have some 400. */
const maximumTokenLength = 4_096

export const makeAuthenticate = Effect.gen(function* () {
  const { cacheEntries } = yield* AuthOptions
  const accessTokens = yield* AccessTokens
  const live = yield* LiveCredentials

  // A signature stays good, so what a token says is kept until others push it out. Whether its session lives is asked each time.
  const keeper = (kind: AccessTokenKind) =>
    Cache.makeWith(
      (token: string) =>
        Effect.map(accessTokens.verify(kind, Redacted.make(token)), (claims) => ({
          ...claims,
          validUntil: DateTime.add(claims.expiresAt, { seconds: clockSkewSeconds })
        })),
      { capacity: cacheEntries, timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 hour" : 0) }
    )
  const verified = { cookie: yield* keeper("cookie"), bearer: yield* keeper("bearer") }

  return Effect.fnUntraced(function* (kind: AccessTokenKind, token: Redacted.Redacted) {
    const text = Redacted.value(token)
    if (text.length > maximumTokenLength) return yield* new TokenRejected()
    const claims = yield* Cache.get(verified[kind], text)
    if (!isCurrent(claims, yield* Clock.currentTimeMillis)) return yield* new TokenRejected()
    const found = yield* live.session(claims.sessionId)
    if (Option.isNone(found) || found.value.user.userId !== claims.userId) return yield* new TokenRejected()
    const { role, userId, username } = found.value.user
    const principal: Principal = {
      userId,
      username,
      role,
      grants: grantsOf(role),
      credential: { _tag: kind === "cookie" ? "Cookie" : "Bearer", sessionId: claims.sessionId },
      validUntil: claims.validUntil
    }
    return principal
  })
})
