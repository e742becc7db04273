/** How an area of the contract is written: its endpoints, what each of them asks for, and what all of them owe. */
import type { Permission } from "@fairlead/core/auth/roles/Permission"
import { Context } from "effect"
import { type HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authentication, Authorization, RequiredPermission } from "./Access.ts"
import { CommonErrors } from "./CommonErrors.ts"
import { onlyKnownMembers } from "./KnownMembers.ts"

/** What an endpoint says of itself, for `.annotateMerge(…)`: who may call it, and the two texts of the document. */
export const operation = (permission: Permission | "public", summary: string, description: string) =>
  Context.make(RequiredPermission, permission).pipe(Context.merge(OpenApi.annotations({ summary, description })))

type Endpoints = readonly [HttpApiEndpoint.Constraint, ...Array<HttpApiEndpoint.Constraint>]

/**
 * A group of endpoints below `/api/v1` that asks for a credential and for the permission of each endpoint, refuses what the contract
 * does not name, and answers failures alike. Handlers may fail with `StorageError`: see `CommonErrors`.
 */
export const area = <const Id extends string, const E extends Endpoints>(id: Id, description: string, endpoints: E) =>
  HttpApiGroup.make(id)
    .add(...endpoints)
    .prefix("/api/v1")
    .annotateMerge(onlyKnownMembers)
    .middleware(Authorization)
    .middleware(Authentication)
    .middleware(CommonErrors)
    .annotate(OpenApi.Description, description)

/** As `area`, with endpoints besides that anybody may call; their permission is `"public"`. */
export const areaWithPublic = <const Id extends string, const E extends Endpoints, const P extends Endpoints>(
  id: Id,
  description: string,
  endpoints: E,
  publicEndpoints: P
) =>
  HttpApiGroup.make(id)
    .add(...endpoints)
    .middleware(Authorization)
    .middleware(Authentication)
    .add(...publicEndpoints)
    .prefix("/api/v1")
    .annotateMerge(onlyKnownMembers)
    .middleware(CommonErrors)
    .annotate(OpenApi.Description, description)
