/** Use cases on logins: a session is one login, its refresh tokens a family that dies together. */
import { Context, DateTime, Effect, Layer, Option, type Redacted } from "effect"
import type { SessionId } from "../../ids/SessionId.ts"
import { Storage } from "../../storage/Storage.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import type { CredentialsRejected, LoginLocked, LoginsBusy, TokenRejected } from "../AuthError.ts"
import * as AuthHousekeeping from "../AuthHousekeeping.ts"
import { Csrf } from "../csrf/Csrf.ts"
import { LiveCredentials, sessionTopic } from "../LiveCredentials.ts"
import type { Principal } from "../Principal.ts"
import type { RequestSource } from "../RequestSource.ts"
import { makeAuthenticate } from "./internal/authenticate.ts"
import { makeLogin } from "./internal/login.ts"
import { makeRefresh } from "./internal/refresh.ts"
import { RefreshTokens } from "./RefreshTokens.ts"
import { SessionRevoker } from "./SessionRevoker.ts"
import type { SessionTokens } from "./SessionTokens.ts"

export class Sessions extends Context.Service<
  Sessions,
  {
    /**
     * `login` is a username or an e-mail address. At most 4 passwords are checked at once on an instance; a name is locked for 15
     * minutes after 5 failures in 15 minutes, on every instance, whether or not it exists. Failures from an address at which the
     * user had a session lately are counted apart, so strangers cannot lock users out of the places where they work.
     */
    login(
      login: string,
      password: Redacted.Redacted,
      source: RequestSource
    ): Effect.Effect<SessionTokens, CredentialsRejected | LoginLocked | LoginsBusy | StorageError>
    /**
     * Trades a refresh token for a new pair. The one before the current is answered with the same successor for 10 s (two tabs,
     * a lost answer); any older one ends the whole session and is recorded as `SecurityViolation`.
     */
    refresh(
      refreshToken: Redacted.Redacted,
      source: RequestSource
    ): Effect.Effect<SessionTokens, TokenRejected | StorageError>
    /** Ends the session at once on every instance. Ending it twice changes nothing. */
    logout(sessionId: SessionId, source: RequestSource): Effect.Effect<void, StorageError>
    /** Ends the session that a refresh token belongs to; an unknown token changes nothing. */
    logoutByRefreshToken(refreshToken: Redacted.Redacted, source: RequestSource): Effect.Effect<void, StorageError>
    /** Who a token of this kind stands for, right now: revoked sessions and deactivated users are refused within a second. */
    authenticate(
      kind: "cookie" | "bearer",
      token: Redacted.Redacted
    ): Effect.Effect<Principal, TokenRejected | StorageError>
    /** A fresh CSRF token of the session. */
    issueCsrf(sessionId: SessionId): Effect.Effect<string>
    /** Whether the token was issued for this session. Constant time. */
    verifyCsrf(sessionId: SessionId, csrfToken: string): Effect.Effect<boolean>
    /** Waits until the caller's credential stops being valid: logged out, expired, revoked, deactivated. For open streams. */
    awaitRevocation(caller: Principal): Effect.Effect<void>
  }
>()("@fairlead/core/auth/sessions/Sessions") {
  static readonly layer = Layer.effect(
    Sessions,
    Effect.gen(function* () {
      const [storage, csrf] = [yield* Storage, yield* Csrf]
      const [live, refreshTokens] = [yield* LiveCredentials, yield* RefreshTokens]
      const revoker = yield* SessionRevoker

      const logout = Effect.fn("Sessions.logout")(function* (id: SessionId, source: RequestSource) {
        const at = yield* DateTime.now
        yield* storage.transaction(
          revoker.revoke(id, at, source, (userId) => ({ _tag: "UserLoggedOut", userId, logoutReason: "requested" }))
        )
        yield* live.forget(sessionTopic(id))
      })

      return Sessions.of({
        login: yield* makeLogin,
        refresh: yield* makeRefresh,
        logout,
        logoutByRefreshToken: Effect.fnUntraced(function* (presented, source) {
          const claim = yield* refreshTokens.read(presented)
          if (Option.isSome(claim)) yield* logout(claim.value.sessionId, source)
        }),
        authenticate: yield* makeAuthenticate,
        issueCsrf: csrf.issue,
        verifyCsrf: csrf.verify,
        awaitRevocation: live.awaitRevocation
      })
    })
  ).pipe(Layer.merge(AuthHousekeeping.layer))
}
