/** From a name and a password to a session. */
import { DateTime, Effect, Option, type Redacted } from "effect"
import { Ids } from "../../../ids/Ids.ts"
import { SessionId } from "../../../ids/SessionId.ts"
import { UserId } from "../../../ids/UserId.ts"
import { Storage } from "../../../storage/Storage.ts"
import { CredentialsRejected } from "../../AuthError.ts"
import { AuthEvents } from "../../AuthEvents.ts"
import { AuthOptions } from "../../AuthOptions.ts"
import { LiveCredentials, sessionTopic, userTopic } from "../../LiveCredentials.ts"
import { type RequestSource, storedSource } from "../../RequestSource.ts"
import { type LoginProof, Logins } from "../../users/Logins.ts"
import { RefreshTokens } from "../RefreshTokens.ts"
import { Session } from "../Session.ts"
import { SessionRevoker } from "../SessionRevoker.ts"
import { SessionStore } from "../SessionStore.ts"
import { makeIssue } from "./issue.ts"

export const makeLogin = Effect.gen(function* () {
  const { sessionSeconds, sessionsPerUser } = yield* AuthOptions
  const [storage, ids, events] = [yield* Storage, yield* Ids, yield* AuthEvents]
  const [sessions, revoker] = [yield* SessionStore, yield* SessionRevoker]
  const [logins, live] = [yield* Logins, yield* LiveCredentials]
  const [refreshTokens, issue] = [yield* RefreshTokens, yield* makeIssue]

  /** Opens a session unless the user was deactivated or the password changed since the proof. */
  const open = Effect.fnUntraced(function* (proof: LoginProof, source: RequestSource) {
    const { userId } = proof.known.user
    const at = yield* DateTime.now
    if (!(yield* logins.record(proof, at))) return Option.none()
    const sessionId = SessionId.make(yield* ids.uuid)
    const { hash, token } = yield* refreshTokens.first(sessionId)
    const expiresAt = DateTime.add(at, { seconds: sessionSeconds })
    const session = newSession({ sessionId, userId, refreshHash: hash, at, expiresAt }, source)
    yield* sessions.insert(session)
    const { ipAddress = null, userAgent = null } = source
    yield* events.ofUser(userId, source, [
      { _tag: "UserLoggedIn", userId, loginMethod: "password", ipAddress, userAgent }
    ])
    // `logins.record` holds the user until the end of the transaction: logins of one user come here one after the other.
    const ended = yield* revoker.revokeOldest(userId, sessionId, sessionsPerUser, at, source)
    return Option.some({ session, user: proof.known.user, token, ended })
  }, storage.transaction)

  return Effect.fn("Sessions.login")(function* (name: string, password: Redacted.Redacted, from: RequestSource) {
    const source = storedSource(from)
    const known = yield* logins.find(name)
    const user = Option.getOrUndefined(known)?.user
    const { ipAddress } = source
    const familiar = ipAddress !== undefined && (yield* sessions.knowsAddress(user?.userId ?? nobody, ipAddress))
    const attempt = { login: name, known, familiarAddress: familiar ? ipAddress : undefined }
    const { locks, proof } = yield* logins.prove(attempt, password)
    const opened = Option.isSome(proof) ? yield* open(proof.value, source) : Option.none()
    if (Option.isSome(opened)) {
      const { ended, session } = opened.value
      yield* Effect.forEach([userTopic(session.userId), ...ended.map(sessionTopic)], live.forget, { discard: true })
      return yield* issue(session, opened.value.user, opened.value.token)
    }
    yield* events.failure(user, source, "credentials_rejected", locks)
    return yield* new CredentialsRejected()
  })
})

/** Owner of nothing: looked up in the place of users that do not exist, so that both take the same steps. */
const nobody = UserId.make("00000000-0000-7000-8000-000000000000")

const newSession = (
  start: Pick<Session, "sessionId" | "userId" | "refreshHash" | "expiresAt"> & { readonly at: DateTime.Utc },
  { ipAddress, userAgent }: RequestSource
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
