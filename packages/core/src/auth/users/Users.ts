/** Use cases on users: joining, looking oneself up, changing one's own account. */
import { Context, type Effect, type Redacted } from "effect"
import type { CurrentPasswordWrong, EmailTaken, PasswordTooWeak, UsernameTaken } from "../AuthError.ts"
import type { Origin } from "../Origin.ts"
import type { Principal } from "../Principal.ts"
import type { Role } from "../roles/Role.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import type { User } from "./User.ts"

export interface NewUser {
  readonly username: string
  readonly email: string
  readonly fullName?: string | undefined
  readonly password: Redacted.Redacted
}

export class Users extends Context.Service<
  Users,
  {
    /** Makes a user with the role `user`, whatever the request said. */
    register(
      user: NewUser,
      origin: Origin
    ): Effect.Effect<User, UsernameTaken | EmailTaken | PasswordTooWeak | StorageError>
    /** Makes the user with this role if the name is free; `false` if it was taken, and then nothing changes. */
    ensure(user: NewUser, role: Role): Effect.Effect<boolean, StorageError>
    /** The caller's own account. */
    self(caller: Principal): Effect.Effect<User, StorageError>
    updateProfile(
      caller: Principal,
      change: { readonly fullName?: string | undefined },
      origin: Origin
    ): Effect.Effect<User, StorageError>
    /** Ends every other session and refresh token of the user in the same transaction. */
    changePassword(
      caller: Principal,
      change: { readonly current: Redacted.Redacted; readonly next: Redacted.Redacted },
      origin: Origin
    ): Effect.Effect<void, CurrentPasswordWrong | PasswordTooWeak | StorageError>
  }
>()("@fairlead/core/auth/users/Users") {}
