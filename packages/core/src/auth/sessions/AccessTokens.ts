/** Port: short-lived signed tokens that name a session. They prove nothing alone: the session must also be live. */
import { Clock, Context, DateTime, Effect, Layer, Redacted } from "effect"
import type { SessionId } from "../../ids/SessionId.ts"
import type { UserId } from "../../ids/UserId.ts"
import { TokenRejected } from "../AuthError.ts"

/** Seconds for which a token is still taken after its end, because clocks of instances differ. */
export const clockSkewSeconds = 60

/** `cookie` for browsers, `bearer` for the `Authorization` header. One is refused in the place of the other. */
export type AccessTokenKind = "cookie" | "bearer"

export interface AccessClaims {
  readonly kind: AccessTokenKind
  readonly userId: UserId
  readonly sessionId: SessionId
  /** To the second. */
  readonly expiresAt: DateTime.Utc
}

export class AccessTokens extends Context.Service<
  AccessTokens,
  {
    sign(claims: AccessClaims): Effect.Effect<Redacted.Redacted>
    /** The claims of a token of this kind that was signed here, is unchanged and ended at most `clockSkewSeconds` ago. */
    verify(kind: AccessTokenKind, token: Redacted.Redacted): Effect.Effect<AccessClaims, TokenRejected>
  }
>()("@fairlead/core/auth/sessions/AccessTokens") {
  /** Keeps the claims in memory; the token is only a number. */
  static readonly layerMemory = Layer.sync(AccessTokens, () => {
    const issued = new Map<string, AccessClaims>()
    return AccessTokens.of({
      sign: (claims) =>
        Effect.sync(() => {
          const token = `memory-token-${issued.size}`
          const seconds = Math.floor(claims.expiresAt.epochMilliseconds / 1000)
          issued.set(token, { ...claims, expiresAt: DateTime.makeUnsafe(seconds * 1000) })
          return Redacted.make(token)
        }),
      verify: Effect.fnUntraced(function* (kind, token) {
        const claims = issued.get(Redacted.value(token))
        if (claims === undefined || claims.kind !== kind) return yield* new TokenRejected()
        if (!isCurrent(claims, yield* Clock.currentTimeMillis)) return yield* new TokenRejected()
        return claims
      })
    })
  })
}

/** Whether the token may still be used at this time, in milliseconds since 1970. */
export const isCurrent = ({ expiresAt }: Pick<AccessClaims, "expiresAt">, nowMillis: number): boolean =>
  nowMillis < expiresAt.epochMilliseconds + clockSkewSeconds * 1000
