/** Contract of `/auth`: logins, the caller's own account, API keys. Bodies are the union of what the seed documents show. */
import { ApiKey } from "@fairlead/core/auth/api-keys/ApiKey"
import { Role } from "@fairlead/core/auth/roles/Role"
import { ApiKeyId } from "@fairlead/core/ids/ApiKeyId"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authentication, Authorization, RequiredPermission } from "../Access.ts"
import { CommonErrors } from "../CommonErrors.ts"
import { onlyKnownMembers } from "../KnownMembers.ts"
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

export class AuthApi extends HttpApiGroup.make("auth")
  .add(
    HttpApiEndpoint.get("verify", "/verify-token", { success: Verified })
      .annotate(RequiredPermission, "account:read")
      .annotate(OpenApi.Summary, "Check the credential")
      .annotate(OpenApi.Description, "Answers who the caller is, with a CSRF token of the session."),
    HttpApiEndpoint.get("self", "/me", { success: User })
      .annotate(RequiredPermission, "account:read")
      .annotate(OpenApi.Summary, "Show one's own account")
      .annotate(OpenApi.Description, "The account that the credential belongs to."),
    HttpApiEndpoint.put("updateSelf", "/me", { payload: ProfileBody, success: User })
      .annotate(RequiredPermission, "account:write")
      .annotate(OpenApi.Summary, "Change one's own profile")
      .annotate(OpenApi.Description, "Only `full_name` can be changed here; other keys are ignored."),
    HttpApiEndpoint.post("changePassword", "/change-password", {
      payload: ChangePasswordBody,
      success: Message,
      error: [currentPasswordWrong, passwordTooWeak, loginLocked, loginsBusy]
    })
      .annotate(RequiredPermission, "account:write")
      .annotate(OpenApi.Summary, "Change one's own password")
      .annotate(OpenApi.Description, "Ends every other session, every refresh token and every API key of the user."),
    HttpApiEndpoint.post("createApiKey", "/api-keys", {
      payload: CreateApiKeyBody,
      success: NewApiKey.pipe(HttpApiSchema.status(201)),
      error: apiKeysExhausted
    })
      .annotate(RequiredPermission, "account:write")
      .annotate(OpenApi.Summary, "Make an API key")
      .annotate(
        OpenApi.Description,
        "`key` is shown this once. The key acts as its owner. One that is made with another key ends with that at the latest."
      ),
    HttpApiEndpoint.get("listApiKeys", "/api-keys", { success: Schema.Array(ApiKeyView) })
      .annotate(RequiredPermission, "account:read")
      .annotate(OpenApi.Summary, "List one's own API keys")
      .annotate(OpenApi.Description, "Newest first, without the keys themselves; at most 50."),
    HttpApiEndpoint.delete("revokeApiKey", "/api-keys/:key_id", {
      params: { key_id: ApiKeyId },
      success: Message,
      error: apiKeyNotFound
    })
      .annotate(RequiredPermission, "account:write")
      .annotate(OpenApi.Summary, "Delete an API key")
      .annotate(OpenApi.Description, "The key, and each that was made with it, is refused from now on, on every host.")
  )
  .middleware(Authorization)
  .middleware(Authentication)
  .add(
    HttpApiEndpoint.post("login", "/login", {
      payload: LoginBody,
      success: Tokens,
      error: [credentialsRejected, loginLocked, loginsBusy]
    })
      .annotate(RequiredPermission, "public")
      .annotate(OpenApi.Summary, "Log in")
      .annotate(
        OpenApi.Description,
        "Takes JSON or a form; `username` may be an e-mail address. Answers with tokens and sets the cookies `access_token` and `csrf_token`."
      ),
    HttpApiEndpoint.post("register", "/register", {
      payload: RegisterBody,
      success: Registered.pipe(HttpApiSchema.status(201)),
      error: [registrationClosed, registrationsExhausted, usernameTaken, passwordTooWeak, loginsBusy]
    })
      .annotate(RequiredPermission, "public")
      .annotate(OpenApi.Summary, "Register a user")
      .annotate(
        OpenApi.Description,
        "The user gets the role `user`, whatever the body says. Does not log in. An address that another account has is taken all the same, so that nobody learns who has an account; with it only the other account logs in, this one by its username."
      ),
    HttpApiEndpoint.post("refresh", "/refresh", { payload: RefreshBody, success: Tokens, error: tokenRejected })
      .annotate(RequiredPermission, "public")
      .annotate(OpenApi.Summary, "Trade a refresh token for new tokens")
      .annotate(OpenApi.Description, "Each refresh token works once; using an older one again ends the session."),
    HttpApiEndpoint.post("logout", "/logout", { payload: LogoutBody, success: Message })
      .annotate(RequiredPermission, "public")
      .annotate(OpenApi.Summary, "Log out")
      .annotate(
        OpenApi.Description,
        "Ends the sessions of the cookie, the bearer token and the refresh token that came along, and clears the cookies. Works without any."
      )
  )
  .prefix("/api/v1/auth")
  .annotateMerge(onlyKnownMembers)
  .middleware(CommonErrors)
  .annotate(OpenApi.Description, "Logging in and out, one's own account, API keys.") {}
