/** A person or machine that may log in. The password's hash is not part of it: see `UserStore`. */
import { Schema } from "effect"
import { UserId } from "../../ids/UserId.ts"
import { Role } from "../roles/Role.ts"

/** 3 to 64 characters: letters, digits, dot, dash, underscore; the first is a letter or digit. Compared without case. */
export const Username = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$/u))
/** At most 254 visible characters, with one @ between two non-empty parts. Compared without case. */
export const Email = Schema.String.check(
  Schema.isPattern(/^[!-?A-~\u00c0-\u1fff\u3040-\ud7ff]{1,64}@[!-?A-~\u00c0-\u1fff\u3040-\ud7ff]{1,189}$/u)
)
/** At most 200 characters of text in one line: no control characters, no halves of surrogate pairs. */
export const FullName = Schema.String.check(
  Schema.isMaxLength(200),
  Schema.isPattern(/^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u, {
    toJsonSchema: () => ({ pattern: "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$" })
  })
)

export class User extends Schema.Class<User>("User")({
  userId: UserId,
  username: Username,
  email: Email,
  /**
   * `true`: another user had this address first, so it is for contact only and does not log in. Never told to anybody, as it
   * would say that the other user exists.
   */
  emailShared: Schema.optionalKey(Schema.Boolean),
  fullName: Schema.optionalKey(FullName),
  role: Role,
  isActive: Schema.Boolean,
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString,
  lastLoginAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Raised by one with every write. A write that names an older version touches no row: another writer won. */
  version: Schema.Int
}) {}
