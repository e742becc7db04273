/** Enforces what `Access` declares. */

import type { TokenRejected } from "@fairlead/core/auth/AuthError"
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import type { Principal } from "@fairlead/core/auth/Principal"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import {
  Authentication,
  Authorization,
  CsrfRejected,
  CurrentPrincipal,
  Forbidden,
  Needs,
  Unauthorized
} from "../api/Access.ts"

/** Built once: most requests fail with it on the way to the credential that they do have. */
const unauthorized = Effect.fail(new Unauthorized())

/** Methods that change nothing, whatever the handler; all others need a CSRF token beside a cookie. */
const reads = new Set(["GET", "HEAD", "OPTIONS", "QUERY"])

type Check = (credential: Redacted.Redacted) => Effect.Effect<Principal, TokenRejected | StorageError>

const verified =
  (check: Check) =>
  <A, E, R>(answer: Effect.Effect<A, E, R>, { credential }: { readonly credential: Redacted.Redacted }) =>
    Redacted.value(credential) === ""
      ? unauthorized
      : check(credential).pipe(
          Effect.catchTags({ TokenRejected: () => unauthorized, StorageError: Effect.die }),
          Effect.flatMap((principal) => Effect.provideService(answer, CurrentPrincipal, principal))
        )

export const layerAuthentication = Layer.effect(
  Authentication,
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const apiKeys = yield* ApiKeys

    const forgeable = Effect.fnUntraced(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      if (reads.has(request.method)) return false
      const { credential } = yield* CurrentPrincipal
      const token = request.headers["x-csrf-token"]
      if (credential._tag !== "Cookie" || token === undefined) return true
      return !(yield* sessions.verifyCsrf(credential.sessionId, token))
    })

    const byCookie = verified((token) => sessions.authenticate("cookie", token))
    return Authentication.of({
      apiKey: verified(apiKeys.authenticate),
      bearer: verified((token) => sessions.authenticate("bearer", token)),
      cookie: (answer, options) =>
        byCookie(
          Effect.gen(function* () {
            if (yield* forgeable()) return yield* new CsrfRejected()
            return yield* answer
          }),
          options
        )
    })
  })
)

export const layerAuthorization = Layer.succeed(
  Authorization,
  Authorization.of((answer, { endpoint }) => {
    const needs = Context.getOrUndefined(endpoint.annotations, Needs)
    if (needs === undefined) return Effect.die(`endpoint ${endpoint.identifier} declares no permission`)
    if (needs === "public") return answer
    return Effect.gen(function* () {
      const { grants } = yield* CurrentPrincipal
      if (grants[needs] === undefined) return yield* new Forbidden({ needs })
      return yield* answer
    })
  })
)

/** Both middlewares over the services of core that know the credentials. */
export const layer = Layer.merge(layerAuthentication, layerAuthorization)
