/**
 * Who may call an endpoint. Every endpoint says `.annotate(RequiredPermission, permission)`; every group ends in
 * `.middleware(Authorization).middleware(Authentication).middleware(CommonErrors)`. A middleware reaches only the endpoints that
 * were added before it: add `"public"` endpoints after `Authentication` and before `CommonErrors`.
 */
import type { Principal } from "@fairlead/core/auth/Principal"
import { Permission } from "@fairlead/core/auth/roles/Permission"
import { Context, Schema } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { unavailable } from "./CommonErrors.ts"
import { problem } from "./Problem.ts"

export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {}) {}
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { needs: Permission }) {}
/** The caller is known by the cookie alone, the call writes, and no CSRF token of the same session came with it. */
export class CsrfRejected extends Schema.TaggedError<CsrfRejected>()("CsrfRejected", {}) {}

/** The permission an endpoint asks for. An endpoint that has none is refused at run time and fails the contract test. */
export class RequiredPermission extends Context.Service<RequiredPermission, Permission | "public">()(
  "@fairlead/http/api/RequiredPermission"
) {}

export class CurrentPrincipal extends Context.Service<CurrentPrincipal, Principal>()(
  "@fairlead/http/api/CurrentPrincipal"
) {}

/** Names of the two cookies that a login sets at the root of a server; under a prefix they end in it. Scripts of our pages may read the second, never the first. */
export const accessCookie = "access_token"
export const csrfCookie = "csrf_token"

/**
 * The credentials that are taken, as the document describes them. Tried in this order; the first that verifies counts. The cookie is
 * last because browsers send it unasked: what a caller put there on purpose goes first, and a forged header beside a cookie
 * leaves the cookie with its CSRF check. Not declared as `security` of the middleware: that tries each scheme by failing.
 */
export const credentialsOf = (accessName: string, csrfName: string) =>
  ({
    apiKey: {
      type: "apiKey",
      in: "header",
      name: "X-API-Key",
      description: "A key from `POST /api/v1/auth/api-keys`."
    },
    bearer: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "The `access_token` of a login or refresh, or an API key."
    },
    cookie: {
      type: "apiKey",
      in: "cookie",
      name: accessName,
      description: `Set by a login. Calls that write must repeat the cookie \`${csrfName}\` in the header \`X-CSRF-Token\`.`
    }
  }) as const

export const unauthorized = problem(Unauthorized, {
  status: 401,
  title: "Not logged in",
  detail: () => "Log in, or send an API key."
})

export const forbidden = problem(Forbidden, {
  status: 403,
  title: "Not allowed",
  detail: ({ needs }) => `This call needs the permission ${needs}.`
})

export class Authentication extends HttpApiMiddleware.Service<Authentication, { provides: CurrentPrincipal }>()(
  "@fairlead/http/api/Authentication",
  {
    error: [
      unauthorized,
      problem(CsrfRejected, {
        status: 403,
        title: "CSRF validation failed",
        detail: () => "Repeat the cookie csrf_token in the header X-CSRF-Token."
      }),
      unavailable
    ]
  }
) {}

export class Authorization extends HttpApiMiddleware.Service<Authorization, { requires: CurrentPrincipal }>()(
  "@fairlead/http/api/Authorization",
  {
    error: forbidden
  }
) {}
