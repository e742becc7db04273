/** Enforces what `Access` declares. */

import type { TokenRejected } from "@fairlead/core/auth/AuthError"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { isKeyText } from "@fairlead/core/auth/api-keys/ApiKeyText"
import type { Principal } from "@fairlead/core/auth/Principal"
import type { Permission } from "@fairlead/core/auth/roles/Permission"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Context, Effect, Layer } from "effect"
import { HttpServerRequest, type HttpServerResponse } from "effect/http"
import {
  Authentication,
  Authorization,
  CsrfRejected,
  CurrentPrincipal,
  Forbidden,
  RequiredPermission,
  Unauthorized
} from "../api/Access.ts"
import { cookieNames } from "./auth/SessionCookies.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { bearerOf } from "./internal/bearerOf.ts"
import * as Places from "./internal/Places.ts"
import { makeSecrets } from "./internal/secrets.ts"
import { withoutCredential } from "./internal/withoutCredential.ts"
import { MountPath } from "./Mount.ts"

/** Methods that change nothing, whatever the handler; all others need a CSRF token beside a cookie. */
const reads = new Set(["GET", "HEAD", "OPTIONS", "QUERY"])

/** Shorter answers are not worth counting. */
const freeBytes = 64 * 1024

type Check = Effect.Effect<Principal | undefined, StorageError>
type Request = HttpServerRequest.HttpServerRequest

/** Nobody, rather than an error: the next credential may be one. */
const orNobody = (check: Effect.Effect<Principal, TokenRejected | StorageError>): Check =>
  Effect.catchTag(check, "TokenRejected", () => Effect.undefined)

export const layerAuthentication = Layer.effect(
  Authentication,
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const apiKeys = yield* ApiKeys
    const settings = yield* HttpSettings
    const secret = makeSecrets(1024)
    const answers = Places.make("bytes of answers", settings.limits.answerBytes)

    /** In the order that `Access` explains: API key, bearer token, cookie. */
    const checksOf = ({ cookies, headers }: Request, cookieName: string): ReadonlyArray<Check> => {
      const checks: Array<Check> = []
      const key = headers["x-api-key"]
      if (key !== undefined) checks.push(orNobody(apiKeys.authenticate(secret(key))))
      const bearer = bearerOf(headers["authorization"])
      if (bearer !== undefined) {
        const token = secret(bearer)
        checks.push(orNobody(isKeyText(bearer) ? apiKeys.authenticate(token) : sessions.authenticate("bearer", token)))
      }
      const cookie = headers["cookie"] === undefined ? undefined : cookies[cookieName]
      if (cookie !== undefined) checks.push(orNobody(sessions.authenticate("cookie", secret(cookie))))
      return checks
    }

    const isForgeable = ({ credential }: Principal, { headers, method }: Request): Effect.Effect<boolean> => {
      if (credential._tag !== "Cookie" || reads.has(method)) return Effect.succeed(false)
      const token = headers["x-csrf-token"]
      if (token === undefined) return Effect.succeed(true)
      return Effect.map(sessions.verifyCsrf(credential.sessionId, token), (verified) => !verified)
    }

    const caller = Effect.fnUntraced(function* (request: Request, needs: Permission | "public" | undefined) {
      const { access } = cookieNames(settings, yield* MountPath)
      for (const check of checksOf(request, access)) {
        const principal = yield* check
        if (principal === undefined) continue
        if (yield* isForgeable(principal, request)) return yield* new CsrfRejected()
        return principal
      }
      const builtIn = withoutCredential(settings, request, access)
      if (builtIn === undefined) return yield* new Unauthorized()
      // 403 would say that there is nothing to be done: a login may help.
      if (needs !== undefined && needs !== "public" && builtIn.grants[needs] === undefined)
        return yield* new Unauthorized()
      return builtIn
    })

    /** Such an answer is in memory until it has been sent, however slowly that is taken. */
    const assigned = (response: HttpServerResponse.HttpServerResponse, { userId }: Principal) =>
      response.body._tag === "Uint8Array" && response.body.contentLength > freeBytes
        ? Effect.as(Effect.orDie(answers.take(userId, response.body.contentLength)), response)
        : Effect.succeed(response)

    return Authentication.of((answer, { endpoint }) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        Effect.flatMap(caller(request, Context.getOrUndefined(endpoint.annotations, RequiredPermission)), (principal) =>
          Effect.flatMap(Effect.provideService(answer, CurrentPrincipal, principal), (response) =>
            assigned(response, principal)
          )
        )
      )
    )
  })
)

export const layerAuthorization = Layer.succeed(
  Authorization,
  Authorization.of((answer, { endpoint }) => {
    const needs = Context.getOrUndefined(endpoint.annotations, RequiredPermission)
    if (needs === undefined) return Effect.die(`endpoint ${endpoint.identifier} declares no permission`)
    if (needs === "public") return answer
    const allowed = Effect.flatMap(CurrentPrincipal, ({ grants }) =>
      grants[needs] === undefined ? Effect.fail(new Forbidden({ needs })) : Effect.void
    )
    return Effect.andThen(allowed, answer)
  })
)

/** Both middlewares over the services of core that know the credentials. */
export const layer = Layer.merge(layerAuthentication, layerAuthorization)
