/** A long-lived credential of one user, without its secret: that is shown once and stored only as a digest. */
import { Schema } from "effect"
import { UserId } from "../users/UserId.ts"
import { ApiKeyId } from "./ApiKeyId.ts"

export class ApiKey extends Schema.Class<ApiKey>("ApiKey")({
  apiKeyId: ApiKeyId,
  ownerId: UserId,
  name: Schema.NonEmptyString.check(Schema.isMaxLength(100)),
  createdAt: Schema.DateTimeUtcFromString,
  expiresAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** To the minute: written at most once a minute. */
  lastUsedAt: Schema.optionalKey(Schema.DateTimeUtcFromString)
}) {}
