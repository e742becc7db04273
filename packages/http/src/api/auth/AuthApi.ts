/** Contract of `/auth`: logins, the caller's own account, API keys. Bodies are the union of what existing clients show. */

import { ApiKey } from "@fairlead/core/auth/api-keys/ApiKey"
import { Role } from "@fairlead/core/auth/roles/Role"
import { ApiKeyId } from "@fairlead/core/ids/ApiKeyId"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiSchema } from "effect/http-api"
import { areaWithPublic, operation } from "../Area.ts"
import { wire } from "../Wire.ts"
import {
  apiKeyNotFound,
  apiKeysExhausted,
  credentialsRejected,
  currentPasswordWrong,
  loginLocked,
  loginsBusy,
  passwordTooWeak,
  registrationClosed,
  registrationsExhausted,
  tokenRejected,
  usernameTaken
} from "./AuthProblems.ts"
import {
  ChangePasswordBody,
  CreateApiKeyBody,
  LoginBody,
  LogoutBody,
  ProfileBody,
  RefreshBody,
  RegisterBody
} from "./AuthRequests.ts"
import { UserView, userFields } from "./UserView.ts"

const Message = Schema.Struct({ message: Schema.String }).annotate({ identifier: "Message" })
export const User = wire("User", UserView)

const tokens = {
  message: Schema.String,
  username: Schema.String,
  role: Role,
  csrfToken: Schema.String,
  accessToken: Schema.String,
  refreshToken: Schema.String,
  /** Seconds until the access token ends. */
  expiresIn: Schema.Int,
  tokenType: Schema.Literal("Bearer"),
  user: UserView
}
export const Tokens = wire("Tokens", Schema.Struct(tokens))
const Registered = wire("Registered", Schema.Struct({ ...userFields, message: Schema.String, user: UserView }))
export const Verified = wire(
  "VerifiedToken",
  Schema.Struct({ valid: Schema.Literal(true), username: Schema.String, role: Role, csrfToken: Schema.String })
)
const key = {
  id: ApiKeyId,
  name: ApiKey.fields.name,
  createdAt: ApiKey.fields.createdAt,
  expiresAt: Schema.NullOr(Schema.DateTimeUtcFromString)
}
const ApiKeyView = wire("ApiKey", Schema.Struct({ ...key, lastUsed: Schema.NullOr(Schema.DateTimeUtcFromString) }))
const NewApiKey = wire("NewApiKey", Schema.Struct({ ...key, key: Schema.String }))

export class AuthApi extends areaWithPublic(
  "auth",
  "Logging in and out, one's own account, API keys.",
  [
    HttpApiEndpoint.get("verify", "/auth/verify-token", { success: Verified }).annotateMerge(
      operation("account:read", "Check the credential", "Answers who the caller is, with a CSRF token of the session.")
    ),
    HttpApiEndpoint.get("self", "/auth/me", { success: User }).annotateMerge(
      operation("account:read", "Show one's own account", "The account that the credential belongs to.")
    ),
    HttpApiEndpoint.put("updateSelf", "/auth/me", { payload: ProfileBody, success: User }).annotateMerge(
      operation(
        "account:write",
        "Change one's own profile",
        "Only `full_name` can be changed here; other keys are ignored."
      )
    ),
    HttpApiEndpoint.post("changePassword", "/auth/change-password", {
      payload: ChangePasswordBody,
      success: Message,
      error: [currentPasswordWrong, passwordTooWeak, loginLocked, loginsBusy]
    }).annotateMerge(
      operation(
        "account:write",
        "Change one's own password",
        "Ends every other session, every refresh token and every API key of the user."
      )
    ),
    HttpApiEndpoint.post("createApiKey", "/auth/api-keys", {
      payload: CreateApiKeyBody,
      success: NewApiKey.pipe(HttpApiSchema.status(201)),
      error: apiKeysExhausted
    }).annotateMerge(
      operation(
        "account:write",
        "Make an API key",
        "`key` is shown this once. The key acts as its owner. One that is made with another key ends with that at the latest."
      )
    ),
    HttpApiEndpoint.get("listApiKeys", "/auth/api-keys", { success: Schema.Array(ApiKeyView) }).annotateMerge(
      operation("account:read", "List one's own API keys", "Newest first, without the keys themselves; at most 50.")
    ),
    HttpApiEndpoint.delete("revokeApiKey", "/auth/api-keys/:key_id", {
      params: { key_id: ApiKeyId },
      success: Message,
      error: apiKeyNotFound
    }).annotateMerge(
      operation(
        "account:write",
        "Delete an API key",
        "The key, and each that was made with it, is refused from now on, on every instance."
      )
    )
  ],
  [
    HttpApiEndpoint.post("login", "/auth/login", {
      payload: LoginBody,
      success: Tokens,
      error: [credentialsRejected, loginLocked, loginsBusy]
    }).annotateMerge(
      operation(
        "public",
        "Log in",
        "Takes JSON or a form; `username` may be an e-mail address. Answers with tokens and sets the cookies `access_token` and `csrf_token`."
      )
    ),
    HttpApiEndpoint.post("register", "/auth/register", {
      payload: RegisterBody,
      success: Registered.pipe(HttpApiSchema.status(201)),
      error: [registrationClosed, registrationsExhausted, usernameTaken, passwordTooWeak, loginsBusy]
    }).annotateMerge(
      operation(
        "public",
        "Register a user",
        "The user gets the role `user`, whatever the body says. Does not log in. An address that another account has is taken all the same, so that nobody learns who has an account; with it only the other account logs in, this one by its username."
      )
    ),
    HttpApiEndpoint.post("refresh", "/auth/refresh", {
      payload: RefreshBody,
      success: Tokens,
      error: tokenRejected
    }).annotateMerge(
      operation(
        "public",
        "Trade a refresh token for new tokens",
        "Each refresh token works once; using an older one again ends the session."
      )
    ),
    HttpApiEndpoint.post("logout", "/auth/logout", { payload: LogoutBody, success: Message }).annotateMerge(
      operation(
        "public",
        "Log out",
        "Ends the sessions of the cookie, the bearer token and the refresh token that came along, and clears the cookies. Works without any."
      )
    )
  ]
) {}
