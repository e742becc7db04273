/** Bodies that the auth endpoints take. */
import { ApiKeyName } from "@fairlead/core/auth/api-keys/ApiKey"
import { Email, FullName, Username } from "@fairlead/core/auth/users/User"
import { Redacted, Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { ignoredMembers } from "../compat/IgnoredMembers.ts"
import { text } from "../Text.ts"

/** Long enough for any passphrase, short enough to hash. */
const Password = Schema.RedactedFromValue(Schema.NonEmptyString.check(Schema.isMaxLength(1024)))
const Token = Schema.RedactedFromValue(Schema.NonEmptyString.check(Schema.isMaxLength(4096)))

const login = {
  /** A username or an e-mail address. */
  username: text(1, 254),
  password: Password,
  ...ignoredMembers.login
}
/** JSON, or the form of OAuth 2's password grant. */
export const LoginBody = [
  Schema.Struct(login).annotate({ identifier: "Login" }),
  Schema.Struct(login).annotate({ identifier: "LoginForm" }).pipe(HttpApiSchema.asFormUrlEncoded())
] as const

export const RegisterBody = Schema.Struct({
  /** Made from the e-mail address when it is absent. */
  username: Schema.optionalKey(Username),
  email: Email,
  password: Password,
  password_confirm: Schema.optionalKey(Password),
  full_name: Schema.optionalKey(FullName),
  ...ignoredMembers.register
})
  .check(
    Schema.makeFilter(({ password, password_confirm }) =>
      password_confirm === undefined || Redacted.value(password) === Redacted.value(password_confirm)
        ? undefined
        : { path: ["password_confirm"], issue: "Expected the same as password" }
    )
  )
  .annotate({ identifier: "Register" })

const logout = { refresh_token: Schema.optionalKey(Token) }
/** `Null` stands for a body that is absent. */
export const LogoutBody = [
  Schema.Null,
  Schema.Struct(logout).annotate({ identifier: "Logout" }),
  Schema.Struct(logout).annotate({ identifier: "LogoutForm" }).pipe(HttpApiSchema.asFormUrlEncoded())
] as const

export const RefreshBody = Schema.Struct({ refresh_token: Token }).annotate({ identifier: "Refresh" })

export const ProfileBody = Schema.Struct({ full_name: Schema.optionalKey(FullName) }).annotate({
  identifier: "ProfileChange"
})

export const ChangePasswordBody = Schema.Struct({
  current_password: Password,
  new_password: Password,
  new_password_confirm: Schema.optionalKey(Password)
})
  .check(
    Schema.makeFilter(({ new_password, new_password_confirm }) =>
      new_password_confirm === undefined || Redacted.value(new_password) === Redacted.value(new_password_confirm)
        ? undefined
        : { path: ["new_password_confirm"], issue: "Expected the same as new_password" }
    )
  )
  .annotate({ identifier: "PasswordChange" })

export const CreateApiKeyBody = Schema.Struct({
  name: ApiKeyName,
  /** In days; without it the key does not expire. */
  expires_in: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3650 })))
}).annotate({ identifier: "ApiKeyRequest" })
