/** A user as existing clients know one: the union of their field names, so `user_id` is also `id`. */
import { Role } from "@fairlead/core/auth/roles/Role"
import { Email, type User, Username } from "@fairlead/core/auth/users/User"
import { UserId } from "@fairlead/core/ids/UserId"
import { Schema } from "effect"

const nullableTime = Schema.NullOr(Schema.DateTimeUtcFromString)

export const userFields = {
  userId: UserId,
  id: UserId,
  username: Username,
  email: Email,
  fullName: Schema.NullOr(Schema.String),
  role: Role,
  isActive: Schema.Boolean,
  isSuperuser: Schema.Boolean,
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString,
  lastLoginAt: nullableTime,
  /** Roles that differ from `role` on single clusters, by cluster id. */
  clusterPermissions: Schema.Record(Schema.String, Role)
}

export const UserView = Schema.Struct(userFields)
export type UserView = typeof UserView.Type

export const userView = (user: User): UserView => ({
  userId: user.userId,
  id: user.userId,
  username: user.username,
  email: user.email,
  fullName: user.fullName ?? null,
  role: user.role,
  isActive: user.isActive,
  isSuperuser: user.role === "admin",
  createdAt: user.createdAt,
  updatedAt: user.updatedAt,
  lastLoginAt: user.lastLoginAt ?? null,
  clusterPermissions: {}
})
