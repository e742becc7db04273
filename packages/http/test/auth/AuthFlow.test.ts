import { assert, describe, it } from "@effect/vitest"
import { AuthOptions, authDefaults } from "@fairlead/core/auth/AuthOptions"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { layerIdentity } from "@fairlead/core/Fairlead"
import * as Stores from "@fairlead/core/Stores"
import { AuthApi } from "@fairlead/http/api/auth/AuthApi"
import * as ApiLayer from "@fairlead/http/server/ApiLayer"
import { AuthHandlers } from "@fairlead/http/server/auth/AuthHandlers"
import { Effect, Layer, Redacted } from "effect"
import { HttpApi } from "effect/http-api"
import { serve } from "../support/TestServer.ts"

const identity = layerIdentity({ secret: Redacted.make("a secret for tests of at least 32 bytes") }).pipe(
  Layer.provide(Layer.succeed(AuthOptions, { ...authDefaults, registration: "open" })),
  Layer.provide([AccessTokens.layerMemory, PasswordHasher.layerMemory, Stores.layerMemory])
)
const routes = ApiLayer.layer({
  api: HttpApi.make("fairlead").add(AuthApi),
  aliases: {},
  handlers: AuthHandlers
}).pipe(Layer.provide(identity))

const form = { "content-type": "application/x-www-form-urlencoded" }
const password = "tangled-fairlead-42"

/** A browser with two cookies, as far as these tests need one. */
const browser = Effect.gen(function* () {
  const send = yield* serve(routes)
  const jar = new Map<string, string>()
  return Effect.fnUntraced(function* (method: string, path: string, options: Parameters<typeof send>[2] = {}) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ")
    const headers = { ...(cookie === "" ? {} : { cookie }), ...options.headers }
    const answer = yield* send(method, `/api/v1/auth${path}`, { ...options, headers })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^(\w+)=([^;]*)/.exec(line) ?? []
      if (value === "") jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  })
})
const registered = Effect.gen(function* () {
  const call = yield* browser
  yield* call("POST", "/register", { body: { username: "alice", email: "a@example.com", password } })
  const login = yield* call("POST", "/login", { headers: form, body: `username=alice&password=${password}` })
  return { call, login: login.body }
})

describe("a session over the wire", () => {
  it.effect("registers, logs in by form, is known by cookie, and writes with the CSRF token only", () =>
    Effect.gen(function* () {
      const { call, login } = yield* registered
      assert.strictEqual(login["message"], "Login successful")
      assert.strictEqual((yield* call("GET", "/me")).body["username"], "alice")
      const verified = (yield* call("GET", "/verify-token")).body
      assert.deepStrictEqual(verified, {
        valid: true,
        username: "alice",
        role: "user",
        csrf_token: login["csrf_token"]
      })
      const change = { body: { full_name: "Alice A." } }
      assert.strictEqual((yield* call("PUT", "/me", change)).status, 403)
      const headers = { "x-csrf-token": login["csrf_token"] }
      assert.strictEqual((yield* call("PUT", "/me", { ...change, headers })).body["full_name"], "Alice A.")
    })
  )

  it.effect("refuses the CSRF token of another session, and a token in another kind's place", () =>
    Effect.gen(function* () {
      const { call, login } = yield* registered
      const other = yield* call("POST", "/login", { body: { username: "a@example.com", password } })
      const crossed = { "x-csrf-token": login["csrf_token"] }
      assert.strictEqual((yield* call("PUT", "/me", { headers: crossed, body: {} })).status, 403)
      const send = yield* browser
      const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
      for (const name of ["refresh_token", "csrf_token"])
        assert.strictEqual((yield* send("GET", "/me", bearer(other.body[name]))).status, 401)
    })
  )

  it.effect("rotates refresh tokens, and kills the family when an old one comes back", () =>
    Effect.gen(function* () {
      const { call, login } = yield* registered
      const refresh = (token: string) => call("POST", "/refresh", { body: { refresh_token: token } })
      const second = yield* refresh(login["refresh_token"])
      assert.strictEqual(second.status, 200)
      const third = yield* refresh(second.body["refresh_token"])
      assert.strictEqual(third.status, 200)
      assert.strictEqual((yield* refresh(login["refresh_token"])).status, 401)
      assert.strictEqual((yield* refresh(third.body["refresh_token"])).status, 401)
    })
  )

  it.effect("knows nobody after a logout, by any token of the session", () =>
    Effect.gen(function* () {
      const { call, login } = yield* registered
      const held = { cookie: (yield* call("GET", "/me")).status, bearer: `Bearer ${login["access_token"]}` }
      assert.strictEqual(held.cookie, 200)
      assert.deepStrictEqual((yield* call("POST", "/logout")).body, { message: "Logged out successfully" })
      assert.strictEqual((yield* call("GET", "/me")).status, 401)
      assert.strictEqual((yield* call("GET", "/me", { headers: { authorization: held.bearer } })).status, 401)
      const refreshed = yield* call("POST", "/refresh", { body: { refresh_token: login["refresh_token"] } })
      assert.strictEqual(refreshed.status, 401)
    })
  )

  it.effect("knows the owner by an API key until it is deleted", () =>
    Effect.gen(function* () {
      const { call, login } = yield* registered
      const bearer = { authorization: `Bearer ${login["access_token"]}` }
      const made = yield* call("POST", "/api-keys", { headers: bearer, body: { name: "nightly" } })
      const headers = { "x-api-key": made.body["key"], cookie: "" }
      assert.strictEqual((yield* call("GET", "/me", { headers })).body["username"], "alice")
      assert.notInclude((yield* call("GET", "/api-keys", { headers })).text, made.body["key"])
      assert.strictEqual((yield* call("DELETE", `/api-keys/${made.body["id"]}`, { headers: bearer })).status, 200)
      assert.strictEqual((yield* call("GET", "/me", { headers })).status, 401)
    })
  )
})
