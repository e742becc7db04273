/** What callers of the auth areas can be told. None says whether a user exists. */
import { Schema } from "effect"
import { ApiKeyId } from "../ids/ApiKeyId.ts"

/** Unknown user, wrong password, inactive user: one answer for all. */
export class CredentialsRejected extends Schema.TaggedError<CredentialsRejected>()("CredentialsRejected", {}) {}

/** Too many failed logins for this name; also told for names that do not exist. */
export class LoginLocked extends Schema.TaggedError<LoginLocked>()("LoginLocked", { retryAfterSeconds: Schema.Int }) {}

/** More logins at this moment than the instance checks at once. */
export class LoginsBusy extends Schema.TaggedError<LoginsBusy>()("LoginsBusy", { retryAfterSeconds: Schema.Int }) {}

/** The token or key is missing, malformed, expired or revoked. */
export class TokenRejected extends Schema.TaggedError<TokenRejected>()("TokenRejected", {}) {}

/** Nobody may register; users are made by an administrator. */
export class RegistrationClosed extends Schema.TaggedError<RegistrationClosed>()("RegistrationClosed", {}) {}

/** This address has registered as many users as it may for now. */
export class RegistrationsExhausted extends Schema.TaggedError<RegistrationsExhausted>()("RegistrationsExhausted", {
  maximum: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {}

export class UsernameTaken extends Schema.TaggedError<UsernameTaken>()("UsernameTaken", { username: Schema.String }) {}

/** The new password breaks a rule; each rule that it breaks, as a code for machines. */
export class PasswordTooWeak extends Schema.TaggedError<PasswordTooWeak>()("PasswordTooWeak", {
  rules: Schema.NonEmptyArray(Schema.Literals(["too_short", "too_long", "too_common", "contains_username"])),
  minimumLength: Schema.Int
}) {}

export class CurrentPasswordWrong extends Schema.TaggedError<CurrentPasswordWrong>()("CurrentPasswordWrong", {}) {}

export class ApiKeyNotFound extends Schema.TaggedError<ApiKeyNotFound>()("ApiKeyNotFound", { apiKeyId: ApiKeyId }) {}

/** A user may hold at most `maximum` keys. */
export class ApiKeysExhausted extends Schema.TaggedError<ApiKeysExhausted>()("ApiKeysExhausted", {
  maximum: Schema.Int
}) {}

/** A signing secret is too short to be safe. The secret itself is not told. */
export class SecretTooShort extends Schema.TaggedError<SecretTooShort>()("SecretTooShort", {
  /** Where the secret is used, for example `access tokens`. */
  use: Schema.String,
  sizeBytes: Schema.Int,
  minimumBytes: Schema.Int
}) {}
