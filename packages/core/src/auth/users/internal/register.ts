/** How users come to be: they register themselves, or the instance makes them. */
import { Clock, DateTime, Effect, Option, Result } from "effect"
import { IpInterface, IpNetwork, NetAddress } from "effect/net"
import { Ids } from "../../../ids/Ids.ts"
import { UserId } from "../../../ids/UserId.ts"
import { Storage } from "../../../storage/Storage.ts"
import { RegistrationClosed, RegistrationsExhausted, UsernameTaken } from "../../AuthError.ts"
import { AuthEvents } from "../../AuthEvents.ts"
import { AuthOptions } from "../../AuthOptions.ts"
import type { RequestSource } from "../../RequestSource.ts"
import type { Role } from "../../roles/Role.ts"
import { LoginAttemptStore } from "../LoginAttemptStore.ts"
import { isLocked } from "../LoginAttempts.ts"
import type { NewUser } from "../NewUser.ts"
import { PasswordChecks } from "../PasswordChecks.ts"
import { type PasswordHash, PasswordHasher } from "../PasswordHasher.ts"
import { judgePassword } from "../PasswordPolicy.ts"
import { User } from "../User.ts"
import { UserStore } from "../UserStore.ts"
import { usernameFrom } from "../usernameFrom.ts"

/** A new user whose name is settled. */
type NamedUser = NewUser & { readonly username: string }

/** Whether one more user may be registered from where the request came. */
const makeCheckOpen = Effect.gen(function* () {
  const options = yield* AuthOptions
  const attempts = yield* LoginAttemptStore
  return Effect.fnUntraced(function* ({ ipAddress }: RequestSource) {
    if (options.registration === "closed") return yield* new RegistrationClosed()
    if (ipAddress === undefined) return
    const maximum = options.registrationsPerAddress
    const policy = { failures: maximum, windowMillis: options.registrationSeconds * 1000 }
    const now = yield* Clock.currentTimeMillis
    const charged = yield* attempts.charge(`registration ${registrantOf(ipAddress)}`, now, policy)
    if (!isLocked(charged, policy)) return
    const retryAfterSeconds = Math.ceil((charged.endsAt - now) / 1000)
    return yield* new RegistrationsExhausted({ maximum, retryAfterSeconds })
  })
})

export const makeRegister = Effect.gen(function* () {
  const { minimumPasswordLength } = yield* AuthOptions
  const checkOpen = yield* makeCheckOpen
  const [storage, ids, events] = [yield* Storage, yield* Ids, yield* AuthEvents]
  const users = yield* UserStore
  const [checks, hasher] = [yield* PasswordChecks, yield* PasswordHasher]

  const judge = ({ password, username }: NamedUser) =>
    Effect.fromResult(judgePassword(password, username, minimumPasswordLength))

  const insert = Effect.fnUntraced(function* (user: User, passwordHash: PasswordHash, source: RequestSource) {
    const insertion = yield* users.insert({ user, passwordHash })
    const { email, userId, username } = user
    if (insertion === "inserted")
      yield* events.ofUser(userId, source, [{ _tag: "UserRegistered", userId, username, email }])
    return insertion
  }, storage.transaction)

  const userOf = Effect.fnUntraced(function* ({ email, fullName, username }: NamedUser, role: Role) {
    const at = yield* DateTime.now
    return new User({
      userId: UserId.make(yield* ids.uuid),
      username,
      email,
      ...(fullName === undefined ? {} : { fullName }),
      role,
      isActive: true,
      createdAt: at,
      updatedAt: at,
      version: 1
    })
  })

  /** With the address for contact only if another user has it; none if the name is taken. */
  const join = Effect.fnUntraced(function* (wanted: NamedUser, passwordHash: PasswordHash, source: RequestSource) {
    const user = yield* userOf(wanted, "user")
    const insertion = yield* insert(user, passwordHash, source)
    if (insertion === "inserted") return Option.some(user)
    if (insertion === "username_taken") return Option.none()
    const sharing = new User({ ...user, emailShared: true })
    return (yield* insert(sharing, passwordHash, source)) === "inserted" ? Option.some(sharing) : Option.none()
  })

  const register = Effect.fn("Users.register")(function* (wanted: NewUser, source: RequestSource) {
    const username = nameOf(wanted)
    yield* judge({ ...wanted, username })
    yield* checkOpen(source)
    const passwordHash = yield* checks.hash(wanted.password)
    const joined = yield* join({ ...wanted, username }, passwordHash, source)
    if (Option.isSome(joined)) return joined.value
    if (wanted.username !== undefined) return yield* new UsernameTaken({ username })
    // Nobody chose this name, so that it is taken must not tell whose address it was made from.
    const suffix = (yield* ids.token(6)).replace(/[^A-Za-z0-9]/g, "0")
    const other = { ...wanted, username: `${username.slice(0, 54)}-${suffix}` }
    const again = yield* join(other, passwordHash, source)
    return Option.isSome(again) ? again.value : yield* new UsernameTaken({ username: other.username })
  })

  const ensure = Effect.fn("Users.ensure")(function* (wanted: NewUser, role: Role) {
    const named = { ...wanted, username: nameOf(wanted) }
    if (Option.isSome(yield* users.findByLogin(named.username))) return false
    yield* judge(named)
    const user = yield* userOf(named, role)
    const passwordHash = yield* hasher.hash(wanted.password)
    return (yield* insert(user, passwordHash, { correlationId: yield* ids.uuid })) === "inserted"
  })

  return { register, ensure }
})

const nameOf = ({ email, username }: NewUser) => username ?? usernameFrom(email)

/** What one registrant can have many of: with version 6 it is not addresses but networks of 64 bits (RFC 6177). */
const registrantOf = (ipAddress: string): string =>
  Result.match(IpInterface.fromString(`${ipAddress}/64`), {
    onFailure: () => ipAddress,
    onSuccess: (face) =>
      NetAddress.isIpv6Address(face.address) ? IpNetwork.format(IpNetwork.fromInterface(face)) : ipAddress
  })
