/** The four bundles of grants that a user may hold. Nothing outside `auth` asks for a role. */
import { Schema } from "effect"
import type { Grants } from "./Permission.ts"

export const Role = Schema.Literals(["viewer", "user", "operator", "admin"])
export type Role = typeof Role.Type

const viewer: Grants = {
  "account:read": "own",
  "account:write": "own",
  "events:read": "own",
  "executions:read": "own",
  "health:read": "all",
  "sagas:read": "own"
}
const user: Grants = {
  ...viewer,
  "executions:delete": "own",
  "executions:run": "own",
  "executions:write": "own",
  "sagas:write": "own"
}
const operator: Grants = {
  ...user,
  "events:read": "all",
  "executions:read": "all",
  "executions:write": "all",
  "instances:read": "all",
  "queue:write": "all",
  "sagas:read": "all",
  "sagas:write": "all"
}
const admin: Grants = {
  ...operator,
  "executions:admin": "all",
  "executions:delete": "all",
  "queue:admin": "all",
  "sagas:admin": "all"
}

const bundles: Readonly<Record<Role, Grants>> = { viewer, user, operator, admin }

export const grantsOf = (role: Role): Grants => bundles[role]
