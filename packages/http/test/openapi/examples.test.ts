import { assert, describe, it } from "@effect/vitest"
import { AuthOptions, authDefaults } from "@fairlead/core/auth/AuthOptions"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { Users } from "@fairlead/core/auth/users/Users"
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
import * as ScriptedRuntime from "../support/ScriptedRuntime.ts"
import { serve } from "../support/TestServer.ts"

const services = Fairlead.layer({
  instanceName: "host-a",
  maxRunning: 1,
  secret: Redacted.make("examples-secret-of-32-bytes-0000")
}).pipe(
  Layer.provide(Layer.succeed(AuthOptions, { ...authDefaults, registration: "open" })),
  Layer.provideMerge(
    Layer.mergeAll(
      Stores.layerMemory,
      Secrets.layerMemory,
      PasswordHasher.layerMemory,
      AccessTokens.layerMemory,
      ScriptedRuntime.layer
    )
  )
)
const spec = OpenApiSpec.make(Api, aliases)
const bodies = Object.entries(spec.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { requestBody }]) =>
    Object.entries(requestBody?.content ?? {}).map(([type, media]) => ({
      method: method.toUpperCase(),
      path,
      type,
      media
    }))
  )
)
const encoded = (type: string, example: unknown) =>
  type.endsWith("json") || typeof example === "string"
    ? JSON.stringify(example)
    : `${new URLSearchParams(example as Record<string, string>)}`

/** What an example cannot know: tokens, passwords and ids that exist here. Everything else is answered with what was asked for. */
const unknowable = new Set([
  "CREDENTIALS_REJECTED",
  "TOKEN_REJECTED",
  "CURRENT_PASSWORD_WRONG",
  "EXECUTION_NOT_FOUND",
  "QUEUE_ENTRY_NOT_FOUND",
  "SAGA_NOT_FOUND",
  "LANGUAGE_UNSUPPORTED"
])

describe("the examples of the document", () => {
  it.live("are all accepted by the server", () =>
    Effect.gen(function* () {
      const built = yield* Layer.build(services)
      const call = yield* serve(
        WholeApi.layer.pipe(
          Layer.provide(Layer.merge(SseConnections.layer, NodeDocsAssets.layer)),
          Layer.provide(Layer.succeedContext(built))
        )
      )
      const users = yield* Users.pipe(Effect.provideContext(built))
      const password = "a password of the first one"
      yield* users.ensure({ username: "root", email: "root@example.com", password: Redacted.make(password) }, "admin")
      /** A session of its own for each: one of the examples logs out. */
      const headers = () =>
        Effect.map(call("POST", "/api/v1/auth/login", { body: { username: "root", password } }), ({ body }) => ({
          authorization: `Bearer ${body["access_token"]}`
        }))

      assert.isAtLeast(bodies.length, 20)
      const refused: Array<string> = []
      for (const { media, method, path, type } of bodies) {
        const address = path.replace(/\{[^}]*\}/g, "019a7c1e-5b7a-7c3e-9d5f-2b1a4c8e6f10")
        const answer = yield* call(method, address, {
          headers: { ...(yield* headers()), "content-type": type },
          body: encoded(type, media.example)
        })
        if (answer.status >= 400 && !unknowable.has(answer.body["code"]))
          refused.push(`${method} ${path} ${type}: ${answer.text}`)
      }
      assert.deepStrictEqual(refused, [])
    }).pipe(Effect.scoped)
  )
})
