/**
 * CSRF tokens: `nonce.HMAC(session id, nonce)`. A site that can only make the browser send our cookie can neither read a token
 * nor make one, and a token of another session does not fit.
 */
import { Context, Effect, Layer } from "effect"
import { Ids } from "../../ids/Ids.ts"
import type { SessionId } from "../../ids/SessionId.ts"
import { AuthKeys } from "../AuthKeys.ts"

export class Csrf extends Context.Service<
  Csrf,
  {
    /** A fresh token; all tokens of a session stay good as long as the session. */
    issue(sessionId: SessionId): Effect.Effect<string>
    /** Whether the token was issued for this session. Constant time. */
    verify(sessionId: SessionId, token: string): Effect.Effect<boolean>
  }
>()("@fairlead/core/auth/csrf/Csrf") {
  static readonly layer = Layer.effect(
    Csrf,
    Effect.gen(function* () {
      const keys = yield* AuthKeys
      const ids = yield* Ids
      const bound = (sessionId: SessionId, nonce: string) => `${sessionId}.${nonce}`
      return Csrf.of({
        issue: Effect.fnUntraced(function* (sessionId) {
          const nonce = yield* ids.token(16)
          return `${nonce}.${yield* keys.stamp("csrf", bound(sessionId, nonce))}`
        }),
        verify: Effect.fnUntraced(function* (sessionId, token) {
          const [nonce, stamp, ...rest] = token.length > 256 ? [] : token.split(".")
          if (nonce === undefined || stamp === undefined || rest.length > 0) return false
          return yield* keys.verify("csrf", bound(sessionId, nonce), stamp)
        })
      })
    })
  )
}
