/** From a name and a password to a session. */
import { DateTime, Effect, Option, type Redacted, Schema } from "effect"
import { Digest } from "effect/crypto"
import { Wakeups } from "../../../bus/Wakeups.ts"
import { fingerprint } from "../../../ids/Fingerprint.ts"
import { Ids } from "../../../ids/Ids.ts"
import { Storage } from "../../../storage/Storage.ts"
import { CredentialsRejected } from "../../AuthError.ts"
import { AuthEvents } from "../../AuthEvents.ts"
import { AuthOptions } from "../../AuthOptions.ts"
import { LiveCredentials, userTopic } from "../../LiveCredentials.ts"
import { type Origin, storedOrigin } from "../../Origin.ts"
import { PasswordChecks } from "../../users/PasswordChecks.ts"
import { Email, Username } from "../../users/User.ts"
import { UserId } from "../../users/UserId.ts"
import { loginKey, type UserRecord, UserStore } from "../../users/UserStore.ts"
import { RefreshTokens } from "../RefreshTokens.ts"
import { Session } from "../Session.ts"
import { SessionId } from "../SessionId.ts"
import { SessionStore } from "../SessionStore.ts"
import { makeIssue } from "./issue.ts"

export const makeLogin = Effect.gen(function* () {
  const { sessionSeconds } = yield* AuthOptions
  const [storage, ids, digest, events] = [yield* Storage, yield* Ids, yield* Digest.Digest, yield* AuthEvents]
  const [sessions, users, checks] = [yield* SessionStore, yield* UserStore, yield* PasswordChecks]
  const [refreshTokens, issue] = [yield* RefreshTokens, yield* makeIssue]
  const [wakeups, live] = [yield* Wakeups, yield* LiveCredentials]

  /** What failures of this login are counted under. A digest, because people type passwords in the place of names. */
  const attemptKey = Effect.fnUntraced(function* (login: string, known: Option.Option<UserRecord>, origin: Origin) {
    const userId = Option.match(known, { onNone: () => nobody, onSome: ({ user }) => user.userId })
    const { ipAddress } = origin
    const familiar = ipAddress !== undefined && (yield* sessions.knowsAddress(userId, ipAddress))
    const text = `login ${loginKey(login)} ${familiar ? ipAddress : ""}`
    return yield* Effect.provideService(fingerprint(text), Digest.Digest, digest)
  })

  /** Opens a session unless the user was deactivated or the password changed since `known` was read. */
  const open = Effect.fnUntraced(function* (
    { passwordHash, user: { userId } }: UserRecord,
    check: { readonly key: string; readonly rehashed?: Redacted.Redacted | undefined },
    origin: Origin
  ) {
    const at = yield* DateTime.now
    if (!(yield* users.recordLogin(userId, { at, verified: passwordHash, rehashed: check.rehashed })))
      return Option.none()
    const sessionId = SessionId.make(yield* ids.uuid)
    const { hash, token } = yield* refreshTokens.first(sessionId)
    const expiresAt = DateTime.add(at, { seconds: sessionSeconds })
    const session = newSession({ sessionId, userId, refreshHash: hash, at, expiresAt }, origin)
    yield* sessions.insert(session)
    yield* checks.forgive(check.key)
    const { ipAddress = null, userAgent = null } = origin
    yield* events.ofUser(userId, origin, [
      { _tag: "UserLoggedIn", userId, loginMethod: "password", ipAddress, userAgent }
    ])
    yield* wakeups.send(userTopic(userId))
    return Option.some({ session, token })
  }, storage.transaction)

  return Effect.fn("Sessions.login")(function* (name: string, password: Redacted.Redacted, from: Origin) {
    const origin = storedOrigin(from)
    const known = isLogin(name) ? yield* users.findByLogin(name) : Option.none()
    const key = yield* attemptKey(name, known, origin)
    const hash = Option.map(known, ({ passwordHash }) => passwordHash)
    const { locks, rehashed, right } = yield* checks.check(key, hash, password)
    if (right && Option.isSome(known)) {
      const opened = yield* open(known.value, { key, rehashed }, origin)
      if (Option.isSome(opened)) {
        yield* live.forget(userTopic(known.value.user.userId))
        return yield* issue(opened.value.session, known.value.user, opened.value.token)
      }
    }
    yield* events.failure(Option.getOrUndefined(known)?.user, origin, "credentials_rejected", locks)
    return yield* new CredentialsRejected()
  })
})

/** Owner of nothing: looked up in the place of users that do not exist, so that both take the same steps. */
const nobody = UserId.make("00000000-0000-7000-8000-000000000000")

const isUsername = Schema.is(Username)
const isEmail = Schema.is(Email)
const isLogin = (name: string) => isUsername(name) || isEmail(name)

const newSession = (
  start: Pick<Session, "sessionId" | "userId" | "refreshHash" | "expiresAt"> & { readonly at: DateTime.Utc },
  { ipAddress, userAgent }: Origin
) => {
  const { at, ...fields } = start
  return new Session({
    ...fields,
    createdAt: at,
    refreshedAt: at,
    ...(ipAddress === undefined ? {} : { ipAddress }),
    ...(userAgent === undefined ? {} : { userAgent }),
    version: 1
  })
}
