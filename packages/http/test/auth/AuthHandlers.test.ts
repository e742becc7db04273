import { assert, describe, it } from "@effect/vitest"
import { AuthApi } from "@fairlead/http/api/auth/AuthApi"
import * as ApiLayer from "@fairlead/http/server/ApiLayer"
import { AuthHandlers } from "@fairlead/http/server/auth/AuthHandlers"
import { Context, Effect, Layer, Ref } from "effect"
import { HttpApi } from "effect/http-api"
import { as, sessionIdOf, userIdOf } from "../support/Identities.ts"
import { Asked, heldKeyId, layer } from "../support/ScriptedAccounts.ts"
import { serve } from "../support/TestServer.ts"

const api = HttpApi.make("fairlead").add(AuthApi)
const host = Effect.gen(function* () {
  const services = yield* Layer.build(layer)
  const routes = ApiLayer.layer({ api, aliases: {}, handlers: AuthHandlers })
  const call = yield* serve(routes.pipe(Layer.provide(Layer.succeedContext(services))))
  const at: typeof call = (method, path, options) => call(method, `/api/v1/auth${path}`, options)
  return { call: at, asked: Ref.get(Context.get(services, Asked)) }
})
const form = { "content-type": "application/x-www-form-urlencoded" }
const user = {
  user_id: userIdOf("anna"),
  id: userIdOf("anna"),
  username: "anna",
  email: "anna@example.com",
  full_name: null,
  role: "user",
  is_active: true,
  is_superuser: false,
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
  last_login_at: null,
  cluster_permissions: {}
}
const tokens = {
  username: "anna",
  role: "user",
  csrf_token: "csrf-anna",
  access_token: "bearer-anna",
  refresh_token: "refresh-anna",
  expires_in: 3600,
  token_type: "Bearer",
  user
}

describe("POST /auth/login", () => {
  it.effect.each([
    ["JSON", { body: { username: "anna", password: "right" } }],
    ["a form", { headers: form, body: "username=anna&password=right" }],
    [
      "the form of OAuth 2",
      { headers: form, body: "grant_type=password&username=anna&password=right&scope=&client_id=x" }
    ],
    ["JSON with a second factor", { body: { username: "anna", password: "right", mfa_code: "1" } }]
  ] as const)("takes %s and answers with the union of the documents", ([_, request]) =>
    Effect.gen(function* () {
      const { call } = yield* host
      const { body, status } = yield* call("POST", "/login", request)
      assert.deepStrictEqual([status, body], [200, { message: "Login successful", ...tokens }])
    })
  )

  it.effect("sets a cookie that scripts cannot read, and one that they can", () =>
    Effect.gen(function* () {
      const { call } = yield* host
      const request = { body: { username: "anna", password: "right" } }
      const plain = (yield* call("POST", "/login", request)).headers.getSetCookie().sort()
      assert.deepStrictEqual(plain, [
        "access_token=cookie-anna; Max-Age=86400; Path=/; HttpOnly; SameSite=Strict",
        "csrf_token=csrf-anna; Max-Age=86400; Path=/; SameSite=Strict"
      ])
      const secure = yield* call("POST", "/login", { ...request, origin: "https://host" })
      for (const cookie of secure.headers.getSetCookie()) assert.include(cookie, "; Secure")
      assert.strictEqual(secure.headers.get("cache-control"), "no-store")
    })
  )

  it.effect.each([
    ["anna", "wrong", 401, "CREDENTIALS_REJECTED", null],
    ["locked", "right", 423, "LOGIN_LOCKED", "900"],
    ["busy", "right", 429, "LOGINS_BUSY", "2"],
    ["", "right", 422, "REQUEST_INVALID", null],
    ["anna", "", 422, "REQUEST_INVALID", null]
  ] as const)("%s with password %j is answered %i", ([username, password, status, code, retryAfter]) =>
    Effect.gen(function* () {
      const { call } = yield* host
      const answer = yield* call("POST", "/login", { body: { username, password } })
      assert.deepStrictEqual(
        [answer.status, answer.body["code"], answer.headers.get("retry-after")],
        [status, code, retryAfter]
      )
      assert.deepStrictEqual(answer.headers.getSetCookie(), [])
    })
  )
})

describe("POST /auth/register", () => {
  it.effect("answers with the user at the top, and again below", () =>
    Effect.gen(function* () {
      const { call } = yield* host
      const answer = yield* call("POST", "/register", {
        body: {
          username: "dora",
          email: "dora@example.com",
          password: "s3cr3t-s3cr3t",
          role: "admin",
          is_active: false
        }
      })
      const view = { ...user, username: "dora", email: "dora@example.com" }
      assert.deepStrictEqual(answer.body, { ...view, message: "User created successfully", user: view })
      assert.deepStrictEqual([answer.status, answer.headers.getSetCookie()], [201, []])
    })
  )

  const dora = { username: "dora", email: "dora@example.com", password: "s3cr3t-s3cr3t" }
  it.effect.each([
    [{ ...dora, username: "taken" }, 409, "USERNAME_TAKEN"],
    [{ ...dora, email: "closed@example.com" }, 403, "REGISTRATION_CLOSED"],
    [{ ...dora, email: "many@example.com" }, 429, "REGISTRATIONS_EXHAUSTED"],
    [{ ...dora, password: "weak" }, 422, "PASSWORD_TOO_WEAK"],
    [{ ...dora, password: "busy" }, 429, "LOGINS_BUSY"],
    [{ ...dora, password_confirm: "another" }, 422, "REQUEST_INVALID"],
    [{ ...dora, email: undefined }, 422, "REQUEST_INVALID"],
    [{ ...dora, username: "../etc" }, 422, "REQUEST_INVALID"]
  ] as const)("%j is answered %i", ([body, status, code]) =>
    Effect.gen(function* () {
      const { call } = yield* host
      const answer = yield* call("POST", "/register", { body })
      assert.deepStrictEqual([answer.status, answer.body["code"]], [status, code])
      assert.notInclude(answer.text, "s3cr3t-s3cr3t")
    })
  )
})

describe("POST /auth/logout", () => {
  it.effect("ends every session that came along and clears the cookies as they were set", () =>
    Effect.gen(function* () {
      const { asked, call } = yield* host
      const answer = yield* call("POST", "/logout", {
        headers: { cookie: "access_token=cookie-anna", ...as("bert") },
        body: { refresh_token: "refresh-vera" }
      })
      assert.deepStrictEqual([answer.status, answer.body], [200, { message: "Logged out successfully" }])
      assert.deepStrictEqual(yield* asked, [
        `end ${sessionIdOf("anna")}`,
        `end ${sessionIdOf("bert")}`,
        "end family of refresh-vera"
      ])
      const cookies = answer.headers.getSetCookie().sort()
      assert.match(cookies[0] ?? "", /^access_token=; Max-Age=0; Path=\/; .*HttpOnly; SameSite=Strict$/)
      assert.match(cookies[1] ?? "", /^csrf_token=; Max-Age=0; Path=\/; .*SameSite=Strict$/)
    })
  )

  it.effect.each([
    ["without anything", {}],
    ["with an empty form", { headers: form, body: "" }],
    ["with a cookie that is none", { headers: { cookie: "access_token=old" } }],
    ["with JSON of nothing", { body: {} }]
  ] as const)("works %s", ([_, request]) =>
    Effect.gen(function* () {
      const { asked, call } = yield* host
      assert.strictEqual((yield* call("POST", "/logout", request)).status, 200)
      assert.deepStrictEqual(yield* asked, [])
    })
  )
})

describe("/auth, one's own account", () => {
  it.effect("verifies a token, and keeps the CSRF token that the browser has", () =>
    Effect.gen(function* () {
      const { call } = yield* host
      const verified = { valid: true, username: "anna", role: "user" }
      for (const via of ["cookie", "bearer"] as const) {
        const { body } = yield* call("GET", "/verify-token", { headers: as("anna", via) })
        assert.deepStrictEqual(body, { ...verified, csrf_token: "csrf-anna" })
      }
      const { body } = yield* call("GET", "/verify-token", { headers: as("anna", "key") })
      assert.deepStrictEqual(body, { ...verified, csrf_token: "" })
      assert.strictEqual((yield* call("GET", "/verify-token")).status, 401)
    })
  )

  it.effect("shows the caller and changes the name only", () =>
    Effect.gen(function* () {
      const { asked, call } = yield* host
      const headers = as("anna", "cookie")
      assert.deepStrictEqual((yield* call("GET", "/me", { headers })).body, user)
      const { body } = yield* call("PUT", "/me", { headers, body: { full_name: "Anna A." } })
      assert.deepStrictEqual(body, { ...user, full_name: "Anna A." })
      assert.deepStrictEqual(yield* asked, ['update {"fullName":"Anna A."}'])
      const grasping = yield* call("PUT", "/me", { headers, body: { full_name: "Anna A.", role: "admin" } })
      assert.deepStrictEqual(grasping.body["issues"], [
        { path: ["payload", "role"], message: "There is no such member; those that there are: full_name" }
      ])
      const broken = yield* call("PUT", "/me", { headers, body: { full_name: "Anna\u0000" } })
      assert.deepStrictEqual([broken.status, broken.body["code"]], [422, "REQUEST_INVALID"])
    })
  )

  it.effect("trades a refresh token, once more with cookies", () =>
    Effect.gen(function* () {
      const { call } = yield* host
      const answer = yield* call("POST", "/refresh", { body: { refresh_token: "refresh-anna" } })
      assert.deepStrictEqual(answer.body, { message: "Token refreshed", ...tokens })
      assert.strictEqual(answer.headers.getSetCookie().length, 2)
      const refused = yield* call("POST", "/refresh", { body: { refresh_token: "bearer-anna" } })
      assert.deepStrictEqual([refused.status, refused.body["code"]], [401, "TOKEN_REJECTED"])
    })
  )

  it.effect.each([
    [{ current_password: "right", new_password: "a new one" }, 200, undefined],
    [{ current_password: "right", new_password: "a new one", new_password_confirm: "a new one" }, 200, undefined],
    [{ current_password: "right", new_password: "a", new_password_confirm: "b" }, 422, "REQUEST_INVALID"],
    [{ current_password: "wrong", new_password: "a new one" }, 401, "CURRENT_PASSWORD_WRONG"],
    [{ current_password: "locked", new_password: "a new one" }, 423, "LOGIN_LOCKED"],
    [{ current_password: "right", new_password: "weak" }, 422, "PASSWORD_TOO_WEAK"],
    [{ current_password: "right", new_password: "busy" }, 429, "LOGINS_BUSY"],
    [{ current_password: "right" }, 422, "REQUEST_INVALID"]
  ] as const)("change-password %j is answered %i", ([body, status, code]) =>
    Effect.gen(function* () {
      const { call } = yield* host
      const answer = yield* call("POST", "/change-password", { headers: as("anna"), body })
      assert.deepStrictEqual([answer.status, answer.body["code"]], [status, code])
    })
  )
})

describe("/auth/api-keys", () => {
  it.effect("shows a new key once, lists without it, and deletes, and says who asked", () =>
    Effect.gen(function* () {
      const { asked, call } = yield* host
      const headers = { ...as("anna"), "user-agent": "test/1" }
      const shown = { id: heldKeyId, name: "nightly", created_at: "2026-01-01T00:00:00.000Z", expires_at: null }
      const made = yield* call("POST", "/api-keys", { headers, body: { name: "nightly" } })
      assert.deepStrictEqual([made.status, made.body], [201, { ...shown, key: "flk_shown_once" }])
      const listed = yield* call("GET", "/api-keys", { headers })
      assert.deepStrictEqual(JSON.parse(listed.text), [{ ...shown, last_used: null }])
      const deleted = yield* call("DELETE", `/api-keys/${heldKeyId}`, { headers })
      assert.deepStrictEqual([deleted.status, deleted.body], [200, { message: "API key deleted" }])
      assert.deepStrictEqual(yield* asked, ["key nightly by test/1", "end key by test/1"])
    })
  )

  it.effect.each([
    ["POST", "/api-keys", { name: "one too many" }, 409, "API_KEYS_EXHAUSTED"],
    ["POST", "/api-keys", { name: "" }, 422, "REQUEST_INVALID"],
    ["POST", "/api-keys", { name: "x", expires_in: 0 }, 422, "REQUEST_INVALID"],
    ["DELETE", "/api-keys/019a0000-0000-7000-8000-00000000bbbb", undefined, 404, "API_KEY_NOT_FOUND"],
    ["DELETE", "/api-keys/7", undefined, 404, "NOT_FOUND"]
  ] as const)("%s %s %j is answered %i", ([method, path, body, status, code]) =>
    Effect.gen(function* () {
      const { call } = yield* host
      const answer = yield* call(method, path, { headers: as("anna"), body })
      assert.deepStrictEqual([answer.status, answer.body["code"]], [status, code])
    })
  )
})
