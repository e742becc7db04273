/** Who a token stands for. The path of every request: no span, and nothing but look-ups in memory while nothing changes. */
import { Cache, Clock, DateTime, Effect, Exit, Option, Redacted } from "effect"
import type { StorageError } from "../../../storage/StorageError.ts"
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
  const memory = (kind: AccessTokenKind) =>
    Cache.makeWith(
      (token: string) =>
        Effect.map(accessTokens.verify(kind, Redacted.make(token)), (claims) => ({
          ...claims,
          validUntil: DateTime.add(claims.expiresAt, { seconds: clockSkewSeconds })
        })),
      { capacity: cacheEntries, timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 hour" : 0) }
    )
  const verified = { cookie: yield* memory("cookie"), bearer: yield* memory("bearer") }

  const lookedUp = Effect.fnUntraced(function* (kind: AccessTokenKind, text: string) {
    if (text.length > maximumTokenLength) return yield* new TokenRejected()
    // Before anything is read: a drop meanwhile makes what is remembered old.
    const drops = live.drops()
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
    const untilMillis = Math.min(found.value.untilMillis, claims.validUntil.epochMilliseconds)
    keep(remembered[kind], text, { answer: Exit.succeed(principal), drops, untilMillis })
    return principal
  })

  // Who a token stood for a moment ago, as long as that is what the look-up would find: nothing was dropped, and nothing has aged out.
  const remembered = { cookie: new Map<string, Remembered>(), bearer: new Map<string, Remembered>() }
  const keep = (known: Map<string, Remembered>, text: string, entry: Remembered) => {
    known.delete(text)
    known.set(text, entry)
    const [oldest] = known.size > cacheEntries ? known.keys() : []
    if (oldest !== undefined) known.delete(oldest)
  }

  return (kind: AccessTokenKind, token: Redacted.Redacted): Effect.Effect<Principal, TokenRejected | StorageError> =>
    Effect.withFiber((fiber) => {
      const text = Redacted.value(token)
      const known = remembered[kind].get(text)
      if (known === undefined || known.drops !== live.drops()) return lookedUp(kind, text)
      const nowMillis = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      return nowMillis < known.untilMillis ? known.answer : lookedUp(kind, text)
    })
})

interface Remembered {
  /** Ready for every request. */
  readonly answer: Exit.Exit<Principal>
  /** Of `LiveCredentials`, before the look-up. */
  readonly drops: number
  readonly untilMillis: number
}
