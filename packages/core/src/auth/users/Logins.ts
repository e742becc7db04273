/** Users as the sessions need them: found by what was typed, their password proven, the login noted. What users do themselves is in `Users`. */
import { Context, type DateTime, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { Digest } from "effect/crypto"
import { fingerprint } from "../../ids/Fingerprint.ts"
import type { UserId } from "../../ids/UserId.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { Wakeups } from "../../wakeups/Wakeups.ts"
import type { LoginLocked, LoginsBusy } from "../AuthError.ts"
import { userTopic } from "../LiveCredentials.ts"
import { PasswordChecks } from "./PasswordChecks.ts"
import type { PasswordHash } from "./PasswordHasher.ts"
import { Email, type User, Username } from "./User.ts"
import { loginKey, type UserRecord, UserStore } from "./UserStore.ts"

export interface LoginAttempt {
  /** As it was typed. */
  readonly login: string
  /** What `find` gave for it. */
  readonly known: Option.Option<UserRecord>
  /** An address that the user is known at. Failures from it are counted apart. */
  readonly familiarAddress?: string | undefined
}

/** A password that was right when it was checked. */
export interface LoginProof {
  readonly known: UserRecord
  /** What the failures are counted under. */
  readonly key: string
  readonly rehashed?: PasswordHash | undefined
}

export class Logins extends Context.Service<
  Logins,
  {
    /** By username or by e-mail address, without regard to case. Text that can be neither is not looked up. */
    find(login: string): Effect.Effect<Option.Option<UserRecord>, StorageError>
    /** The user as stored now; none if there is no such user or it is not active. */
    findActive(id: UserId): Effect.Effect<Option.Option<User>, StorageError>
    /**
     * Checks the password, with the same work when there is no user. No proof means that it is wrong; `locks` then says whether
     * this failure was the one that locked the name.
     */
    prove(
      attempt: LoginAttempt,
      password: Redacted.Redacted
    ): Effect.Effect<
      { readonly proof: Option.Option<LoginProof>; readonly locks: boolean },
      LoginLocked | LoginsBusy | StorageError
    >
    /**
     * Notes the login at `at`, puts a fresh hash in the place of an outdated one, forgives the failures and sends the user's
     * wake-up. `false`, and nothing changes, if the password changed or the user was deactivated since the proof. Call it in a
     * transaction: until that ends nobody else changes the user.
     */
    record(proof: LoginProof, at: DateTime.Utc): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/auth/users/Logins") {
  static readonly layer = Layer.effect(
    Logins,
    Effect.gen(function* () {
      const [users, checks] = [yield* UserStore, yield* PasswordChecks]
      const [digest, wakeups] = [yield* Digest.Digest, yield* Wakeups]

      const prove = Effect.fnUntraced(function* (
        { familiarAddress = "", known, login }: LoginAttempt,
        password: Redacted.Redacted
      ) {
        // Name and address of one user share a counter. A digest, because people type passwords in the place of names.
        const who = Option.match(known, { onNone: () => loginKey(login), onSome: ({ user }) => user.userId })
        const text = `login ${who} ${familiarAddress}`
        const key = yield* Effect.provideService(fingerprint(text), Digest.Digest, digest)
        const hash = Option.map(known, ({ passwordHash }) => passwordHash)
        const { locks, rehashed, right } = yield* checks.check(key, hash, password)
        const proof = Option.map(known, (known): LoginProof => ({ known, key, rehashed }))
        return { proof: right ? proof : Option.none(), locks }
      })

      const record = Effect.fnUntraced(function* ({ key, known, rehashed }: LoginProof, at: DateTime.Utc) {
        const { userId } = known.user
        if (!(yield* users.recordLogin(userId, { at, verified: known.passwordHash, rehashed }))) return false
        yield* checks.forgive(key)
        yield* wakeups.send(userTopic(userId))
        return true
      })

      return Logins.of({
        find: (login) => (isLogin(login) ? users.findByLogin(login) : Effect.succeedNone),
        findActive: (id) =>
          Effect.map(
            users.find(id),
            Option.flatMap(({ user }) => (user.isActive ? Option.some(user) : Option.none()))
          ),
        prove,
        record
      })
    })
  )
}

const isUsername = Schema.is(Username)
const isEmail = Schema.is(Email)
const isLogin = (text: string) => isUsername(text) || isEmail(text)
