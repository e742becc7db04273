import { assert, layer } from "@effect/vitest"
import { AuthApi } from "@fairlead/http/api/auth/AuthApi"
import * as AccessLive from "@fairlead/http/server/AccessLive"
import { AuthHandlers } from "@fairlead/http/server/auth/AuthHandlers"
import * as CommonErrorsLive from "@fairlead/http/server/CommonErrorsLive"
import { Effect, Layer, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { HttpApi, HttpApiTest } from "effect/http-api"
import { layer as accounts } from "../support/ScriptedAccounts.ts"

const services = AuthHandlers.pipe(
  Layer.provideMerge([AccessLive.layer, CommonErrorsLive.layer, HttpServer.layerServices]),
  Layer.provide(accounts)
)

layer(services)("typed client of a part of the API", (it) => {
  it.effect("decodes answers to camelCase models, and problems to the errors of core", () =>
    Effect.gen(function* () {
      const { auth } = yield* HttpApiTest.groups(HttpApi.make("fairlead").add(AuthApi), ["auth"])
      const login = (username: string, password: string) =>
        auth.login({ payload: { username, password: Redacted.make(password) } })
      const tokens = yield* login("anna", "right")
      assert.deepStrictEqual([tokens.accessToken, tokens.user.isActive], ["bearer-anna", true])
      assert.strictEqual((yield* Effect.flip(login("anna", "wrong")))._tag, "CredentialsRejected")
      const locked = yield* Effect.flip(login("locked", "right"))
      assert.deepInclude(locked, { _tag: "LoginLocked", retryAfterSeconds: 900 })
      assert.strictEqual((yield* Effect.flip(auth.self()))._tag, "Unauthorized")
    })
  )
})
