/** Use cases on logins: a session is one login, its refresh tokens a family that dies together. */
import { Cache, Clock, Context, DateTime, Effect, Exit, Layer, Option, Redacted, Schema } from "effect"
import { Digest } from "effect/crypto"
import { Wakeups } from "../../bus/Wakeups.ts"
import { fingerprint } from "../../ids/Fingerprint.ts"
import { Ids } from "../../ids/Ids.ts"
import { Storage } from "../../storage/Storage.ts"
import { StorageError } from "../../storage/StorageError.ts"
import { CredentialsRejected, type LoginLocked, type LoginsBusy, TokenRejected } from "../AuthError.ts"
import { AuthEvents, type UserEvent } from "../AuthEvents.ts"
import { AuthOptions } from "../AuthOptions.ts"
import { Csrf } from "../csrf/Csrf.ts"
import { LiveCredentials, sessionTopic } from "../LiveCredentials.ts"
import type { Origin } from "../Origin.ts"
import type { Principal } from "../Principal.ts"
import { grantsOf } from "../roles/Role.ts"
import { PasswordChecks } from "../users/PasswordChecks.ts"
import { Email, type User, Username } from "../users/User.ts"
import { UserId } from "../users/UserId.ts"
import { loginKey, type UserRecord, UserStore } from "../users/UserStore.ts"
import { type AccessTokenKind, AccessTokens, clockSkewSeconds, isCurrent } from "./AccessTokens.ts"
import { RefreshTokens } from "./RefreshTokens.ts"
import { judgeRefresh, rotate, Session } from "./Session.ts"
import { SessionId } from "./SessionId.ts"
import { SessionStore } from "./SessionStore.ts"

export interface SessionTokens {
  readonly user: User
  readonly sessionId: SessionId
  /** For the `Authorization` header; short-lived. */
  readonly accessToken: Redacted.Redacted
  readonly accessTokenSeconds: number
  /** For the cookie of browsers; as long as the session. A different token: one kind is refused in the other's place. */
  readonly cookieToken: Redacted.Redacted
  readonly cookieTokenSeconds: number
  /** Usable once, for the next pair. */
  readonly refreshToken: Redacted.Redacted
  /** Bound to the session; proves that a cookie request came from our own pages. */
  readonly csrfToken: string
}

export class Sessions extends Context.Service<
  Sessions,
  {
    /**
     * `login` is a username or an e-mail address. At most 4 passwords are checked at once on a host; a name is locked for 15
     * minutes after 5 failures in 15 minutes, on every host, whether or not it exists. Failures from an address at which the
     * user had a session lately are counted apart, so strangers cannot lock users out of the places where they work.
     */
    login(
      login: string,
      password: Redacted.Redacted,
      origin: Origin
    ): Effect.Effect<SessionTokens, CredentialsRejected | LoginLocked | LoginsBusy | StorageError>
    /**
     * Trades a refresh token for a new pair. The one before the current is answered with the same successor for 10 s (two tabs,
     * a lost answer); any older one ends the whole session and is recorded as `SecurityViolation`.
     */
    refresh(refreshToken: Redacted.Redacted, origin: Origin): Effect.Effect<SessionTokens, TokenRejected | StorageError>
    /** Ends the session at once on every host. Ending it twice changes nothing. */
    logout(sessionId: SessionId, origin: Origin): Effect.Effect<void, StorageError>
    /** Ends the session that a refresh token belongs to; an unknown token changes nothing. */
    logoutByRefreshToken(refreshToken: Redacted.Redacted, origin: Origin): Effect.Effect<void, StorageError>
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
      const options = yield* AuthOptions
      const [storage, wakeups, ids, digest] = [yield* Storage, yield* Wakeups, yield* Ids, yield* Digest.Digest]
      const [sessions, users, checks] = [yield* SessionStore, yield* UserStore, yield* PasswordChecks]
      const [accessTokens, refreshTokens, csrf] = [yield* AccessTokens, yield* RefreshTokens, yield* Csrf]
      const [events, live] = [yield* AuthEvents, yield* LiveCredentials]

      // Signatures stay good, so what a token says is kept until others push it out; whether the session lives is asked each time.
      const verifiedTokens = (kind: AccessTokenKind) =>
        Cache.makeWith((token: string) => accessTokens.verify(kind, Redacted.make(token)), {
          capacity: options.cacheEntries,
          timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 hour" : 0)
        })
      const verified = { cookie: yield* verifiedTokens("cookie"), bearer: yield* verifiedTokens("bearer") }

      const expiry = (at: DateTime.Utc) => DateTime.add(at, { seconds: options.sessionSeconds })

      const issue = Effect.fnUntraced(function* (session: Session, user: User, refreshToken: Redacted.Redacted) {
        const { sessionId, userId } = session
        const now = yield* DateTime.now
        const leftSeconds = Math.floor((session.expiresAt.epochMilliseconds - now.epochMilliseconds) / 1000)
        const accessTokenSeconds = Math.min(options.accessTokenSeconds, leftSeconds)
        const cookieTokenSeconds = Math.min(options.cookieTokenSeconds, leftSeconds)
        const sign = (kind: AccessTokenKind, seconds: number) =>
          accessTokens.sign({ kind, userId, sessionId, expiresAt: DateTime.add(now, { seconds }) })
        return {
          user,
          sessionId,
          accessToken: yield* sign("bearer", accessTokenSeconds),
          accessTokenSeconds,
          cookieToken: yield* sign("cookie", cookieTokenSeconds),
          cookieTokenSeconds,
          refreshToken,
          csrfToken: yield* csrf.issue(sessionId)
        }
      })

      /** What failures of this login are counted under. A digest, because people type passwords in the place of names. */
      const attemptKey = Effect.fnUntraced(function* (login: string, known: Option.Option<UserRecord>, origin: Origin) {
        const userId = Option.match(known, { onNone: () => nobody, onSome: ({ user }) => user.userId })
        const address = addressOf(origin)
        const familiar = address !== undefined && (yield* sessions.knowsAddress(userId, address))
        const text = `login ${loginKey(login)} ${familiar ? address : ""}`
        return yield* Effect.provideService(fingerprint(text), Digest.Digest, digest)
      })

      /** Opens a session unless the user was deactivated or the password changed since `known` was read. */
      const open = Effect.fnUntraced(function* (
        { passwordHash, user }: UserRecord,
        check: { readonly key: string; readonly rehashed?: Redacted.Redacted | undefined },
        origin: Origin
      ) {
        const at = yield* DateTime.now
        const login = { at, verified: passwordHash, rehashed: check.rehashed }
        if (!(yield* users.recordLogin(user.userId, login))) return Option.none()
        const sessionId = SessionId.make(yield* ids.uuid)
        const { hash, token } = yield* refreshTokens.first(sessionId)
        const session = newSession(sessionId, user.userId, hash, at, expiry(at), origin)
        yield* sessions.insert(session)
        yield* checks.forgive(check.key)
        const { ipAddress = null, userAgent = null } = origin
        const event = {
          _tag: "UserLoggedIn",
          userId: user.userId,
          loginMethod: "password",
          ipAddress,
          userAgent
        } as const
        yield* events.ofUser(user.userId, origin, [event])
        return Option.some({ session, token })
      }, storage.transaction)

      const login = Effect.fn("Sessions.login")(function* (name: string, password: Redacted.Redacted, origin: Origin) {
        const known = isLogin(name) ? yield* users.findByLogin(name) : Option.none()
        const key = yield* attemptKey(name, known, origin)
        const { locks, rehashed, right } = yield* checks.check(key, Option.map(known, hashOf), password)
        if (right && Option.isSome(known)) {
          const opened = yield* open(known.value, { key, rehashed }, origin)
          if (Option.isSome(opened)) return yield* issue(opened.value.session, known.value.user, opened.value.token)
        }
        const user = Option.getOrUndefined(known)?.user
        yield* events.failure(user, origin, "credentials_rejected", locks)
        return yield* new CredentialsRejected()
      })

      /** One look at the session and one write. `lost`: a rival wrote meanwhile. */
      const exchange = Effect.fnUntraced(function* (
        claim: { readonly sessionId: SessionId; readonly hash: string },
        nextHash: string,
        origin: Origin
      ) {
        const at = yield* DateTime.now
        const found = yield* sessions.find(claim.sessionId)
        if (Option.isNone(found)) return "refused"
        const session = found.value
        const verdict = judgeRefresh(session, claim.hash, at, options.refreshGraceMillis)
        if (verdict === "Unknown") return "refused"
        if (verdict === "Reuse") {
          yield* end(session.sessionId, at, origin, reuseFrom(origin))
          return "refused"
        }
        const owner = yield* users.find(session.userId)
        if (Option.isNone(owner) || !owner.value.user.isActive) return "refused"
        const { user } = owner.value
        // Under another secret than before, the same token would have another successor: nobody could tell it from a theft.
        if (verdict === "Replay") return session.refreshHash === nextHash ? { session, user } : "refused"
        const rotated = rotate(session, { refreshHash: nextHash, at, expiresAt: expiry(at) })
        return (yield* sessions.replace(rotated)) ? { session: rotated, user } : "lost"
      }, storage.transaction)

      /** Ends the session with this event, if it is live. Inside the caller's transaction. */
      const end = Effect.fnUntraced(function* (
        id: SessionId,
        at: DateTime.Utc,
        origin: Origin,
        event: (userId: UserId) => UserEvent
      ) {
        const ended = yield* sessions.revoke(id, at)
        if (Option.isNone(ended)) return
        yield* events.ofUser(ended.value.userId, origin, [event(ended.value.userId)])
        yield* wakeups.send(sessionTopic(id))
      })

      const refresh = Effect.fn("Sessions.refresh")(function* (presented: Redacted.Redacted, origin: Origin) {
        const claim = yield* refreshTokens.read(presented)
        if (Option.isNone(claim)) return yield* new TokenRejected()
        const next = yield* refreshTokens.successor(presented)
        for (let attempt = 0; attempt < 3; attempt++) {
          const outcome = yield* exchange(claim.value, next.hash, origin)
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

      const logout = Effect.fn("Sessions.logout")(function* (id: SessionId, origin: Origin) {
        const at = yield* DateTime.now
        yield* storage.transaction(
          end(id, at, origin, (userId) => ({ _tag: "UserLoggedOut", userId, logoutReason: "requested" }))
        )
        yield* live.forget(sessionTopic(id))
      })

      const authenticate = Effect.fnUntraced(function* (kind: AccessTokenKind, token: Redacted.Redacted) {
        const text = Redacted.value(token)
        if (text.length > maximumTokenLength) return yield* new TokenRejected()
        const claims = yield* Cache.get(verified[kind], text)
        if (!isCurrent(claims, yield* Clock.currentTimeMillis)) return yield* new TokenRejected()
        const found = yield* live.session(claims.sessionId)
        if (Option.isNone(found) || found.value.user.userId !== claims.userId) return yield* new TokenRejected()
        const { role, userId, username } = found.value.user
        const { expiresAt, sessionId } = claims
        const credential = { _tag: kind === "cookie" ? "Cookie" : "Bearer", sessionId } as const
        const validUntil = DateTime.add(expiresAt, { seconds: clockSkewSeconds })
        return { userId, username, role, grants: grantsOf(role), credential, validUntil } satisfies Principal
      })

      return Sessions.of({
        login,
        refresh,
        logout,
        logoutByRefreshToken: Effect.fnUntraced(function* (presented, origin) {
          const claim = yield* refreshTokens.read(presented)
          if (Option.isSome(claim)) yield* logout(claim.value.sessionId, origin)
        }),
        authenticate,
        issueCsrf: csrf.issue,
        verifyCsrf: csrf.verify,
        awaitRevocation: live.awaitRevocation
      })
    })
  )
}

/** Longer ones are refused unread. Ours have some 400 characters. */
const maximumTokenLength = 4_096

/** Owner of nothing: looked up in the place of users that do not exist, so that both take the same steps. */
const nobody = UserId.make("00000000-0000-7000-8000-000000000000")

const isUsername = Schema.is(Username)
const isEmail = Schema.is(Email)
const isLogin = (name: string) => isUsername(name) || isEmail(name)
const hashOf = ({ passwordHash }: UserRecord) => passwordHash
const reuseFrom =
  ({ ipAddress = null }: Origin) =>
  (userId: UserId): UserEvent => ({
    _tag: "SecurityViolation",
    userId,
    violationType: "refresh_token_reuse",
    details: "a refresh token was used again after its grace; the session was ended",
    ipAddress
  })
const addressOf = ({ ipAddress }: Origin) => ipAddress?.slice(0, 64)

const newSession = (
  sessionId: SessionId,
  userId: UserId,
  refreshHash: string,
  at: DateTime.Utc,
  expiresAt: DateTime.Utc,
  origin: Origin
) => {
  const [ipAddress, userAgent] = [addressOf(origin), origin.userAgent?.slice(0, 256)]
  return new Session({
    sessionId,
    userId,
    createdAt: at,
    refreshedAt: at,
    expiresAt,
    refreshHash,
    ...(ipAddress === undefined ? {} : { ipAddress }),
    ...(userAgent === undefined ? {} : { userAgent }),
    version: 1
  })
}
