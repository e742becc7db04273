/**
 * The form of refresh tokens: `<session id>.<secret>.<stamp>`. The stamp shows that we issued the token, so that guesses cannot
 * end somebody's session as reuse. The secret of the next token follows from the one before under our key: whoever presents the
 * same token twice gets the same successor, and nothing but digests is stored.
 */
import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { Digest } from "effect/crypto"
import { fingerprint } from "../../ids/Fingerprint.ts"
import { Ids } from "../../ids/Ids.ts"
import { SessionId } from "../../ids/SessionId.ts"
import { AuthKeys } from "../AuthKeys.ts"

export interface RefreshToken {
  readonly token: Redacted.Redacted
  /** SHA-256 of the token, in hex. */
  readonly hash: string
}

export class RefreshTokens extends Context.Service<
  RefreshTokens,
  {
    /** The first token of a session, from 32 random bytes. */
    first(sessionId: SessionId): Effect.Effect<RefreshToken>
    /** What a presented token says, if we issued it. */
    read(
      token: Redacted.Redacted
    ): Effect.Effect<Option.Option<{ readonly sessionId: SessionId; readonly hash: string }>>
    /** The token after one that `read` accepted: always the same one. */
    successor(token: Redacted.Redacted): Effect.Effect<RefreshToken>
  }
>()("@fairlead/core/auth/sessions/RefreshTokens") {
  static readonly layer = Layer.effect(
    RefreshTokens,
    Effect.gen(function* () {
      const keys = yield* AuthKeys
      const ids = yield* Ids
      const digest = yield* Digest.Digest
      const hashOf = (token: string) => Effect.provideService(fingerprint(token), Digest.Digest, digest)

      const make = Effect.fnUntraced(function* (sessionId: string, secret: string) {
        const token = `${sessionId}.${secret}.${yield* keys.stamp("refresh", `${sessionId}.${secret}`)}`
        return { token: Redacted.make(token), hash: yield* hashOf(token) }
      })

      return RefreshTokens.of({
        first: (sessionId) => Effect.flatMap(ids.token(32), (secret) => make(sessionId, secret)),
        read: Effect.fnUntraced(function* (presented) {
          const token = Redacted.value(presented)
          const [id, secret, stamp, ...rest] = token.length > 256 ? [] : token.split(".")
          const sessionId = Schema.decodeUnknownOption(SessionId)(id)
          if (Option.isNone(sessionId) || stamp === undefined || rest.length > 0) return Option.none()
          if (!(yield* keys.verify("refresh", `${id}.${secret}`, stamp))) return Option.none()
          return Option.some({ sessionId: sessionId.value, hash: yield* hashOf(token) })
        }),
        successor: Effect.fnUntraced(function* (presented) {
          const [sessionId = "", secret = ""] = Redacted.value(presented).split(".")
          return yield* make(sessionId, yield* keys.stamp("successor", `${sessionId}.${secret}`))
        })
      })
    })
  )
}
