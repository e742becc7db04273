import { assert, describe, it } from "@effect/vitest"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import * as Fairlead from "@fairlead/core/Fairlead"
import * as Stores from "@fairlead/core/Stores"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { Api } from "@fairlead/http/api/Api"
import { aliases } from "@fairlead/http/api/compat/Aliases"
import * as NodeDocsAssets from "@fairlead/http/node/NodeDocsAssets"
import * as OpenApiSpec from "@fairlead/http/server/OpenApiSpec"
import { SseConnections } from "@fairlead/http/server/sse/SseConnections"
import * as WholeApi from "@fairlead/http/server/WholeApi"
import { Effect, Layer, Redacted } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { liveRoutes } from "../support/LiveRoutes.ts"
import * as ScriptedRuntime from "../support/ScriptedRuntime.ts"

const secret = Redacted.make("live-routes-secret-of-32-bytes-00")
const whole = WholeApi.layer.pipe(
  Layer.provide(Layer.merge(SseConnections.layer, NodeDocsAssets.layer)),
  Layer.provide(Fairlead.layer({ instanceName: "host-a", maxRunning: 1, secret })),
  Layer.provide(
    Layer.mergeAll(
      Stores.layerMemory,
      Secrets.layerMemory,
      PasswordHasher.layerMemory,
      AccessTokens.layerMemory,
      ScriptedRuntime.layer
    )
  )
)

type Paths = ReturnType<typeof OpenApiSpec.make>["paths"]
const documented = new Map<string, Paths[string][string]>(
  Object.entries(OpenApiSpec.make(Api, aliases).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const)
  )
)
const operationOf = (route: string) => documented.get(route.replace(/:(\w+)(\([^)]*\))?/g, "{$1}"))
/** Routes that are not in the document, or have no permission there. */
const unknown = (routes: ReadonlyArray<string>) =>
  routes.filter((route) => operationOf(route)?.["x-permission"] === undefined)

describe("the routes that the server answers", () => {
  it.effect("are all in the document, each with a permission", () =>
    Effect.gen(function* () {
      const routes = yield* liveRoutes(whole)
      assert.isAbove(routes.length, 30)
      assert.deepStrictEqual(unknown(routes), [])
      const originals = [...documented].filter(([, { deprecated }]) => deprecated !== true).map(([name]) => name)
      assert.strictEqual(new Set(routes).size, new Set(originals).size)
    })
  )

  it.effect("are noticed when they are registered beside the contract, one by one, together, or under a prefix", () =>
    Effect.gen(function* () {
      const handler = Effect.succeed(HttpServerResponse.text("stray"))
      const stray = Layer.mergeAll(
        HttpRouter.add("GET", "/stray", handler),
        HttpRouter.addAll([HttpRouter.route("POST", "/api/v1/auth/me", handler)]),
        HttpRouter.addAll([HttpRouter.route("*", "/more/*", handler)], { prefix: "/debug" }),
        HttpRouter.use((router) => router.prefixed("/admin").add("DELETE", "/all", handler))
      )
      const routes = yield* liveRoutes(Layer.merge(whole, stray))
      assert.sameMembers(unknown(routes), [
        "GET /stray",
        "POST /api/v1/auth/me",
        "* /debug/more/*",
        "DELETE /admin/all"
      ])
    })
  )
})
