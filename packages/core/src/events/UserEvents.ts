/** Facts about users and their logins. Never a password, a token or a key, not even a part of one. */
import { Schema } from "effect"
import { ApiKeyId } from "../ids/ApiKeyId.ts"
import { UserId } from "../ids/UserId.ts"

export const LoginMethod = Schema.Literals(["password", "oauth", "sso", "api_key"])
const source = { ipAddress: Schema.NullOr(Schema.String), userAgent: Schema.NullOr(Schema.String) }

export const UserEvents = [
  Schema.TaggedStruct("UserRegistered", { userId: UserId, username: Schema.String, email: Schema.String }),
  Schema.TaggedStruct("UserLoggedIn", { userId: UserId, loginMethod: LoginMethod, ...source }),
  Schema.TaggedStruct("UserLoggedOut", { userId: UserId, logoutReason: Schema.NullOr(Schema.String) }),
  Schema.TaggedStruct("UserUpdated", {
    userId: UserId,
    updatedFields: Schema.Array(Schema.String),
    updatedBy: Schema.NullOr(Schema.String)
  }),
  Schema.TaggedStruct("ApiKeyCreated", { userId: UserId, apiKeyId: ApiKeyId, name: Schema.String }),
  Schema.TaggedStruct("ApiKeyRevoked", { userId: UserId, apiKeyId: ApiKeyId, name: Schema.String }),
  Schema.TaggedStruct("AuthFailed", {
    username: Schema.NullOr(Schema.String),
    reason: Schema.String,
    ipAddress: Schema.NullOr(Schema.String)
  }),
  /** A sign of attack, such as a refresh token that was used twice. */
  Schema.TaggedStruct("SecurityViolation", {
    userId: Schema.NullOr(UserId),
    violationType: Schema.String,
    details: Schema.String,
    ipAddress: Schema.NullOr(Schema.String)
  })
] as const
