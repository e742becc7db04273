/** A long-lived credential of one user, without its secret: that is shown once and stored only as a digest. */
import { Schema } from "effect"
import { ApiKeyId } from "../../ids/ApiKeyId.ts"
import { UserId } from "../../ids/UserId.ts"

/** 1 to 100 characters of text in one line. */
export const ApiKeyName = Schema.String.check(
  Schema.isPattern(/^[^\p{Cc}\p{Cs}\u2028\u2029]{1,100}$/u, {
    toJsonSchema: () => ({ pattern: "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]{1,100}$" })
  })
)

export class ApiKey extends Schema.Class<ApiKey>("ApiKey")({
  apiKeyId: ApiKeyId,
  ownerId: UserId,
  name: ApiKeyName,
  /** The key that the owner used to make this one, and with which it ends. */
  madeWith: Schema.optionalKey(ApiKeyId),
  createdAt: Schema.DateTimeUtcFromString,
  expiresAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** To the minute: written at most once a minute. */
  lastUsedAt: Schema.optionalKey(Schema.DateTimeUtcFromString)
}) {}
