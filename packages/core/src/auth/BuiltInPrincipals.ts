/**
 * Callers that no credential stands for. They have no account: what asks for one is beyond them. Their ids are no user's, and what they
 * own stays when the instance asks for credentials again.
 */
import { Struct } from "effect"
import { UserId } from "../ids/UserId.ts"
import type { Principal } from "./Principal.ts"
import { grantsOf } from "./roles/Role.ts"

/** Whoever comes without a credential while credentials are optional: reads the health report. */
export const anonymous: Principal = {
  userId: UserId.make("00000000-0000-7000-8000-000000000001"),
  username: "(anonymous)",
  role: "viewer",
  grants: { "health:read": "all" },
  credential: { _tag: "None" }
}

/** Whoever comes from this machine while authentication is disabled: may do what an administrator may. */
export const local: Principal = {
  userId: UserId.make("00000000-0000-7000-8000-000000000002"),
  username: "(local)",
  role: "admin",
  grants: Struct.omit(grantsOf("admin"), ["account:read", "account:write"]),
  credential: { _tag: "None" }
}
