/** Port: where users and the hashes of their passwords are kept. A hash leaves it only beside the user it belongs to. */
import { Context, type DateTime, Effect, Layer, Option, Redacted } from "effect"
import type { UserId } from "../../ids/UserId.ts"
import { MemoryDatabase } from "../../storage/MemoryDatabase.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import type { PasswordHash } from "./PasswordHasher.ts"
import { User } from "./User.ts"

export interface UserRecord {
  readonly user: User
  readonly passwordHash: PasswordHash
}

export type UserInsertion = "inserted" | "username_taken" | "email_taken"

export class UserStore extends Context.Service<
  UserStore,
  {
    /**
     * Adds a user, unless the name or else the address belongs to another one; an address that is `emailShared` belongs to nobody.
     * Of rivals one wins. An id that exists is a defect.
     */
    insert(record: UserRecord): Effect.Effect<UserInsertion, StorageError>
    find(id: UserId): Effect.Effect<Option.Option<UserRecord>, StorageError>
    /** By username or by an e-mail address that is not `emailShared`, without regard to case. */
    findByLogin(login: string): Effect.Effect<Option.Option<UserRecord>, StorageError>
    /**
     * Stores `user`, with a new hash if one is given, if the stored version is exactly one below; `false` means that another
     * writer won. Never changes username and address, nor whether that is shared. One atomic step.
     */
    replace(user: User, passwordHash?: PasswordHash): Effect.Effect<boolean, StorageError>
    /**
     * Notes a login at `at`, and puts `rehashed` in the place of `verified`. `false`, and nothing changes, if the stored hash is
     * no longer the verified one or the user is not active. Leaves the version alone, so logins do not compete; until the
     * caller's transaction ends nobody else changes the user.
     */
    recordLogin(
      id: UserId,
      login: {
        readonly at: DateTime.Utc
        readonly verified: PasswordHash
        readonly rehashed?: PasswordHash | undefined
      }
    ): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/auth/users/UserStore") {
  static readonly layerMemory = Layer.effect(
    UserStore,
    Effect.map(MemoryDatabase, ({ table }) => {
      const users = table<ReadonlyMap<UserId, UserRecord>>(new Map())
      return UserStore.of({
        insert: (record) =>
          users
            .modify((rows): readonly [UserInsertion | "exists", typeof rows] => {
              const { email, emailShared, userId, username } = record.user
              if (rows.has(userId)) return ["exists", rows]
              const others = [...rows.values()].map(({ user }) => user)
              if (others.some((other) => loginKey(other.username) === loginKey(username)))
                return ["username_taken", rows]
              const holds = (other: User) => other.emailShared !== true && loginKey(other.email) === loginKey(email)
              if (emailShared !== true && others.some(holds)) return ["email_taken", rows]
              return ["inserted", new Map(rows).set(userId, record)]
            })
            .pipe(
              Effect.flatMap((answer) =>
                answer === "exists" ? Effect.die(`user ${record.user.userId} exists`) : Effect.succeed(answer)
              )
            ),
        find: (id) => Effect.map(users.get, (rows) => Option.fromUndefinedOr(rows.get(id))),
        findByLogin: (login) =>
          Effect.map(users.get, (rows) =>
            Option.fromUndefinedOr([...rows.values()].find(({ user }) => loginKeys(user).includes(loginKey(login))))
          ),
        replace: (user, passwordHash) =>
          users.modify((rows) => {
            const known = rows.get(user.userId)
            if (known?.user.version !== user.version - 1) return [false, rows]
            const { email, emailShared, username } = known.user
            const { emailShared: _, ...fields } = user
            const changed = {
              user: new User({ ...fields, email, username, ...(emailShared === undefined ? {} : { emailShared }) }),
              passwordHash: passwordHash ?? known.passwordHash
            }
            return [true, new Map(rows).set(user.userId, changed)]
          }),
        recordLogin: (id, { at, rehashed, verified }) =>
          users.modify((rows) => {
            const known = rows.get(id)
            if (known === undefined || !known.user.isActive) return [false, rows]
            if (Redacted.value(known.passwordHash) !== Redacted.value(verified)) return [false, rows]
            const user = new User({ ...known.user, lastLoginAt: at })
            return [true, new Map(rows).set(id, { user, passwordHash: rehashed ?? verified })]
          })
      })
    })
  )
}

/** What makes two usernames or two addresses the same. */
export const loginKey = (login: string): string => login.toLowerCase()

/** What the user may type to log in. */
const loginKeys = ({ email, emailShared, username }: User): ReadonlyArray<string> =>
  (emailShared === true ? [username] : [username, email]).map(loginKey)
