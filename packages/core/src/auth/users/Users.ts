/** Use cases on users: joining, looking oneself up, changing one's own account. */
import { Context, DateTime, Effect, Layer, Option, type Redacted } from "effect"
import { Storage } from "../../storage/Storage.ts"
import { StorageError } from "../../storage/StorageError.ts"
import { Wakeups } from "../../wakeups/Wakeups.ts"
import {
  CurrentPasswordWrong,
  type LoginLocked,
  type LoginsBusy,
  type PasswordTooWeak,
  type RegistrationClosed,
  type RegistrationsExhausted,
  type UsernameTaken
} from "../AuthError.ts"
import { AuthEvents } from "../AuthEvents.ts"
import { AuthOptions } from "../AuthOptions.ts"
import { ApiKeys } from "../api-keys/ApiKeys.ts"
import { apiKeyTopic, LiveCredentials, sessionTopic, userTopic } from "../LiveCredentials.ts"
import { type Principal, sessionIdOf } from "../Principal.ts"
import type { RequestSource } from "../RequestSource.ts"
import type { Role } from "../roles/Role.ts"
import { SessionRevoker } from "../sessions/SessionRevoker.ts"
import { makeRegister } from "./internal/register.ts"
import type { NewUser } from "./NewUser.ts"
import { PasswordChecks } from "./PasswordChecks.ts"
import type { PasswordHash } from "./PasswordHasher.ts"
import { judgePassword } from "./PasswordPolicy.ts"
import { User } from "./User.ts"
import { UserStore } from "./UserStore.ts"

export class Users extends Context.Service<
  Users,
  {
    /**
     * Makes a user with the role `user`, whatever the request said, if registration is open. An address that another user has is
     * taken without a word, for contact only: nobody learns here who has an account. One network address registers a limited
     * number of users within an hour.
     */
    register(
      user: NewUser,
      source: RequestSource
    ): Effect.Effect<
      User,
      RegistrationClosed | RegistrationsExhausted | UsernameTaken | PasswordTooWeak | LoginsBusy | StorageError
    >
    /** Makes the user with this role if name and address are free; `false` if not, and then nothing changes. */
    ensure(user: NewUser, role: Role): Effect.Effect<boolean, PasswordTooWeak | StorageError>
    /** The caller's own account, from memory where possible: what another instance changed shows when its wake-up comes. */
    self(caller: Principal): Effect.Effect<User, StorageError>
    updateProfile(
      caller: Principal,
      change: { readonly fullName?: string | undefined },
      source: RequestSource
    ): Effect.Effect<User, StorageError>
    /**
     * Ends every other session, refresh token and every API key of the user in the same transaction; the caller's session goes on.
     * Wrong current passwords lock this call, not the login, after as many failures.
     */
    changePassword(
      caller: Principal,
      change: { readonly current: Redacted.Redacted; readonly next: Redacted.Redacted },
      source: RequestSource
    ): Effect.Effect<void, CurrentPasswordWrong | PasswordTooWeak | LoginLocked | LoginsBusy | StorageError>
  }
>()("@fairlead/core/auth/users/Users") {
  static readonly layer = Layer.effect(
    Users,
    Effect.gen(function* () {
      const { minimumPasswordLength } = yield* AuthOptions
      const [storage, wakeups] = [yield* Storage, yield* Wakeups]
      const [users, revoker] = [yield* UserStore, yield* SessionRevoker]
      const checks = yield* PasswordChecks
      const [events, live, apiKeys] = [yield* AuthEvents, yield* LiveCredentials, yield* ApiKeys]

      const recordOf = Effect.fnUntraced(function* (caller: Principal) {
        const found = yield* users.find(caller.userId)
        // A principal is made from a stored user, and users are never removed.
        return Option.isSome(found) ? found.value : yield* Effect.die(`user ${caller.userId} is gone`)
      })

      /** Writes the changed user with its event, in one transaction; `false` when a rival wrote since `before` was read. */
      const write = Effect.fnUntraced(function* (
        caller: Principal,
        source: RequestSource,
        before: User,
        change: { readonly fullName?: string; readonly passwordHash?: PasswordHash },
        updatedFields: ReadonlyArray<string>
      ) {
        const { passwordHash, ...fields } = change
        const updatedAt = yield* DateTime.now
        const after = new User({ ...before, ...fields, updatedAt, version: before.version + 1 })
        if (!(yield* users.replace(after, passwordHash))) return Option.none<User>()
        const { userId } = before
        yield* events.ofUser(userId, source, [{ _tag: "UserUpdated", userId, updatedFields, updatedBy: caller.userId }])
        yield* wakeups.send(userTopic(userId))
        return Option.some(after)
      })

      const updateProfile = Effect.fn("Users.updateProfile")(function* (
        caller: Principal,
        { fullName }: { readonly fullName?: string | undefined },
        source: RequestSource
      ) {
        for (let attempt = 0; attempt < 3; attempt++) {
          const { user } = yield* recordOf(caller)
          if (fullName === undefined || fullName === user.fullName) return user
          const written = yield* storage.transaction(write(caller, source, user, { fullName }, ["full_name"]))
          if (Option.isNone(written)) continue
          yield* live.forget(userTopic(user.userId))
          return written.value
        }
        return yield* lostToRivals("Users.updateProfile")
      })

      const changePassword = Effect.fn("Users.changePassword")(function* (
        caller: Principal,
        { current, next }: { readonly current: Redacted.Redacted; readonly next: Redacted.Redacted },
        source: RequestSource
      ) {
        const key = `password-change ${caller.userId}`
        const own = sessionIdOf(caller)

        const apply = Effect.fnUntraced(function* (user: User, passwordHash: PasswordHash) {
          const written = yield* write(caller, source, user, { passwordHash }, ["password"])
          if (Option.isNone(written)) return Option.none()
          yield* checks.forgive(key)
          const sessions = yield* revoker.revokeAll(user.userId, own, written.value.updatedAt)
          const keys = yield* apiKeys.revokeAll(user.userId, source)
          return Option.some([...sessions.map(sessionTopic), ...keys.map(apiKeyTopic)])
        }, storage.transaction)

        for (let attempt = 0; attempt < 3; attempt++) {
          const { passwordHash, user } = yield* recordOf(caller)
          const { locks, right } = yield* checks.check(key, Option.some(passwordHash), current)
          if (!right) {
            yield* events.failure(user, source, "current_password_wrong", locks)
            return yield* new CurrentPasswordWrong()
          }
          yield* Effect.fromResult(judgePassword(next, user.username, minimumPasswordLength))
          const ended = yield* apply(user, yield* checks.hash(next))
          if (Option.isNone(ended)) continue
          return yield* Effect.forEach([userTopic(user.userId), ...ended.value], live.forget, { discard: true })
        }
        return yield* lostToRivals("Users.changePassword")
      })

      return Users.of({
        ...(yield* makeRegister),
        self: (caller) =>
          Effect.flatMap(live.user(caller.userId), (known) =>
            // Memory knows active users only: one that was deactivated since the caller was known is read.
            Option.isSome(known) ? Effect.succeed(known.value) : Effect.map(recordOf(caller), ({ user }) => user)
          ),
        updateProfile,
        changePassword
      })
    })
  )
}

const lostToRivals = (operation: string) =>
  new StorageError({ operation, retryable: true, cause: "lost to rivals three times" })
