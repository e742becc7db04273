/** Who may read `/metrics`: series names tell what the system does, so they are not for everybody. */
import { ApiKeys } from "@fairlead/core/auth/api-keys/ApiKeys"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { Effect, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { Forbidden, Unauthorized } from "../../api/Access.ts"
import { HttpSettings } from "../HttpSettings.ts"
import { bearerOf } from "../internal/bearerOf.ts"
import { isLocal } from "../internal/isLocal.ts"

/** Gives the check of a request. Takes bearer tokens and API keys, but no cookie: scrapers have none. */
export const make = Effect.gen(function* () {
  const sessions = yield* Sessions
  const apiKeys = yield* ApiKeys

  return Effect.fnUntraced(
    function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const { metricsAccess } = yield* HttpSettings
      if (metricsAccess === "public" || (metricsAccess === "local" && isLocal(request))) return
      const key = request.headers["x-api-key"]
      const bearer = bearerOf(request.headers["authorization"])
      if (key === undefined && bearer === undefined) return yield* new Unauthorized()
      const { grants } =
        key === undefined
          ? yield* sessions.authenticate("bearer", Redacted.make(bearer ?? ""))
          : yield* apiKeys.authenticate(Redacted.make(key))
      if (grants["health:read"] === undefined) return yield* new Forbidden({ needs: "health:read" })
    },
    Effect.catchTags({
      TokenRejected: () => Effect.fail(new Unauthorized())
    })
  )
})
