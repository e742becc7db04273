/** What an endpoint may ask of its caller: `<area>:<read|write|run|admin>`. Roles are bundles of these. */
import { Schema } from "effect"

export const Permission = Schema.Literals([
  "account:read",
  "account:write",
  "events:read",
  "executions:read",
  "executions:run",
  "executions:write",
  "executions:delete",
  "executions:admin",
  "health:read",
  "instances:read",
  "queue:write",
  "queue:admin",
  "sagas:read",
  "sagas:write",
  "sagas:admin"
])
export type Permission = typeof Permission.Type

/** `own`: rows that belong to the caller. `all`: everyone's. */
export type Reach = "own" | "all"
export type Grants = Readonly<Partial<Record<Permission, Reach>>>
