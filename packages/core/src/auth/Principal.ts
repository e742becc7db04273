/** Who calls, and what they may do. */
import type { DateTime } from "effect"
import type { ApiKeyId } from "../ids/ApiKeyId.ts"
import type { SessionId } from "../ids/SessionId.ts"
import type { UserId } from "../ids/UserId.ts"
import type { Grants, Permission } from "./roles/Permission.ts"
import type { Role } from "./roles/Role.ts"

/** How the caller proved who they are. Only a `cookie` needs CSRF protection: browsers send it unasked. */
export type Credential =
  | { readonly _tag: "Cookie"; readonly sessionId: SessionId }
  | { readonly _tag: "Bearer"; readonly sessionId: SessionId }
  | { readonly _tag: "ApiKey"; readonly apiKeyId: ApiKeyId }
  /** Not at all: one of `BuiltInPrincipals`, where the instance lets callers in without. */
  | { readonly _tag: "None" }

export interface Principal {
  readonly userId: UserId
  readonly username: string
  readonly role: Role
  readonly grants: Grants
  readonly credential: Credential
  /** When the credential ends by itself; absent for an API key that does not expire. */
  readonly validUntil?: DateTime.Utc | undefined
}

/** The session that the caller's credential belongs to, if it is one of a session. */
export const sessionIdOf = ({ credential }: Principal): SessionId | undefined =>
  credential._tag === "Cookie" || credential._tag === "Bearer" ? credential.sessionId : undefined

export const mayTouch = (principal: Principal, permission: Permission, ownerId: UserId): boolean =>
  principal.grants[permission] === "all" || (principal.grants[permission] === "own" && principal.userId === ownerId)

/** The owner to filter a list by: `undefined` when the caller may see everyone's rows. */
export const ownerFilter = (principal: Principal, permission: Permission): UserId | undefined =>
  principal.grants[permission] === "all" ? undefined : principal.userId
