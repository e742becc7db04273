/**
 * `AccessTokens` as JSON Web Tokens under HS256. Nothing that a token says about algorithms or keys is believed: one with another
 * header than `sign` writes is refused.
 */
import { type SecretTooShort, TokenRejected } from "@fairlead/core/auth/AuthError"
import { secretBytes } from "@fairlead/core/auth/AuthKeys"
import { AccessTokens, clockSkewSeconds } from "@fairlead/core/auth/sessions/AccessTokens"
import { SessionId } from "@fairlead/core/ids/SessionId"
import { UserId } from "@fairlead/core/ids/UserId"
import { DateTime, Effect, Layer, Redacted, Schema } from "effect"
import { errors, type JWTHeaderParameters, jwtVerify, SignJWT } from "jose"

export interface JoseAccessTokensOptions {
  /** Of at least 32 bytes; all hosts that share a database share it. */
  readonly secret: Redacted.Redacted
  /** Names the installation: tokens of another issuer are refused, even under the same secret. */
  readonly issuer: string
  /** Whom the tokens are for; default `fairlead`. */
  readonly audience?: string | undefined
}

const algorithm = "HS256"
const type = "JWT"

const decodeClaims = Schema.decodeUnknownEffect(
  Schema.Struct({
    sub: UserId,
    sid: SessionId,
    kind: Schema.Literals(["cookie", "bearer"]),
    exp: Schema.Int
  })
)

export const layer = ({
  audience = "fairlead",
  issuer,
  secret
}: JoseAccessTokensOptions): Layer.Layer<AccessTokens, SecretTooShort> =>
  Layer.effect(
    AccessTokens,
    Effect.map(secretBytes("access tokens", secret), (key) =>
      AccessTokens.of({
        sign: Effect.fnUntraced(function* ({ expiresAt, kind, sessionId, userId }) {
          const now = yield* DateTime.now
          const token = new SignJWT({ sid: sessionId, kind })
            .setProtectedHeader({ alg: algorithm, typ: type })
            .setIssuer(issuer)
            .setAudience(audience)
            .setSubject(userId)
            .setIssuedAt(Math.floor(now.epochMilliseconds / 1000))
            .setExpirationTime(Math.floor(expiresAt.epochMilliseconds / 1000))
          return Redacted.make(yield* Effect.promise(() => token.sign(key)), { label: `${kind} token` })
        }),

        verify: Effect.fnUntraced(function* (kind, token) {
          const now = yield* DateTime.now
          const { payload, protectedHeader } = yield* Effect.tryPromise(() =>
            jwtVerify(Redacted.value(token), key, {
              algorithms: [algorithm],
              issuer,
              audience,
              clockTolerance: clockSkewSeconds,
              currentDate: DateTime.toDate(now)
            })
          ).pipe(
            Effect.catchTag("UnknownError", ({ cause }) =>
              isRefusal(cause) ? Effect.fail(new TokenRejected()) : Effect.die(cause)
            )
          )
          if (!isOurs(protectedHeader)) return yield* new TokenRejected()
          const claims = yield* Effect.mapError(decodeClaims(payload), () => new TokenRejected())
          if (claims.kind !== kind) return yield* new TokenRejected()
          return {
            kind,
            userId: claims.sub,
            sessionId: claims.sid,
            expiresAt: DateTime.makeUnsafe(claims.exp * 1000)
          }
        })
      })
    )
  )

/** Jose's own failures are about the token; anything else is a bug. */
const isRefusal = (cause: unknown) => cause instanceof errors.JOSEError

/** No `kid`, `jku`, `jwk`, `x5u`, `crit`: nothing but what `sign` writes. */
const isOurs = (header: JWTHeaderParameters) =>
  header.typ === type && Object.keys(header).every((name) => name === "alg" || name === "typ")
