import { assert, describe, it } from "@effect/vitest"
import { defaultSettings, HttpSettings } from "@fairlead/http/server/HttpSettings"
import { Effect, Layer } from "effect"
import { as } from "../support/Identities.ts"
import { routes } from "../support/ProbeApi.ts"
import { type Call, serve } from "../support/TestServer.ts"

const serveAs = (authMode: typeof defaultSettings.authMode, settings: Partial<typeof defaultSettings> = {}) =>
  serve(routes.pipe(Layer.provide(Layer.succeed(HttpSettings, { ...defaultSettings, ...settings, authMode }))))
const here: Call = { remoteAddress: "127.0.0.1", headers: { host: "localhost:8080" } }
const having = (headers: Record<string, string>, change: Call = {}): Call => ({
  ...here,
  ...change,
  headers: { ...here.headers, ...headers }
})

/** Who may follow the rule of administrators: `username via`, or the status. */
const rule = Effect.fnUntraced(function* (
  authMode: typeof defaultSettings.authMode,
  request: Call,
  settings: Partial<typeof defaultSettings> = {}
) {
  const { body, status } = yield* (yield* serveAs(authMode, settings))("POST", "/api/v1/probe/rule", request)
  return status === 200 ? `${body["username"]} ${body["via"]}` : status
})

describe("a request without a credential", () => {
  it.effect("is refused when credentials are required", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* rule("required", here), 401)
    })
  )

  it.effect("acts as somebody who may do next to nothing when they are optional", () =>
    Effect.gen(function* () {
      const call = yield* serveAs("optional")
      for (const [method, path] of [
        ["GET", "/api/v1/probe/read"],
        ["POST", "/api/v1/probe/rule"]
      ] as const) {
        const { body, status } = yield* call(method, path, here)
        assert.deepStrictEqual([status, body["code"]], [401, "UNAUTHORIZED"])
      }
      const healthy = yield* call("GET", "/api/v1/probe/health", { remoteAddress: "203.0.113.9" })
      assert.deepInclude(healthy.body, { username: "(anonymous)", via: "None" })
    })
  )

  it.effect("acts as an administrator without an account when authentication is disabled", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* rule("disabled", here), "(local) None")
      const { body, status } = yield* (yield* serveAs("disabled"))("GET", "/api/v1/probe/read", here)
      assert.deepStrictEqual([status, body["code"]], [401, "UNAUTHORIZED"])
    })
  )

  it.effect.each([
    ["another machine", having({}, { remoteAddress: "203.0.113.9" }), 401],
    ["nobody knows where", { headers: { host: "localhost:8080" } }, 401],
    ["a proxy here", having({ "x-forwarded-for": "203.0.113.9" }), 401],
    ["a page whose name was made to point here", having({ host: "evil.example:8080" }), 421],
    ["a page whose name looks like ours", having({ host: "localhost.evil.example" }), 421],
    ["a client that names no host", { remoteAddress: "127.0.0.1" }, 401],
    ["a page of another site", having({ origin: "https://evil.example" }), 403],
    ["a page of another port", having({ origin: "http://localhost:3000" }), 403],
    ["a page without an origin", having({ origin: "null" }), 403],
    ["a link of another site", having({ "sec-fetch-site": "cross-site" }), 403],
    ["a link of a neighbouring site", having({ "sec-fetch-site": "same-site" }), 403]
  ] as const)("is refused when authentication is disabled and it comes from %s", ([_, request, status]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* rule("disabled", request), status)
    })
  )

  it.effect("of another site's page is refused when authentication is disabled, also where it only reads", () =>
    Effect.gen(function* () {
      const call = yield* serveAs("disabled")
      for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }])
        assert.strictEqual((yield* call("GET", "/api/v1/probe/health", having(headers))).status, 401)
      assert.strictEqual((yield* call("GET", "/api/v1/probe/health", here)).status, 200)
    })
  )

  it.effect.each([
    ["a program", here],
    ["a program, over IPv6", having({ host: "[::1]:8080" }, { remoteAddress: "::1" })],
    ["our own page", having({ origin: "http://localhost:8080", "sec-fetch-site": "same-origin" })],
    ["the address bar", having({ "sec-fetch-site": "none" })],
    ["a page that the host allows", having({ origin: "http://localhost:3000", "sec-fetch-site": "same-site" })]
  ] as const)("is taken when authentication is disabled and it comes from %s", ([_, request]) =>
    Effect.gen(function* () {
      const settings = { allowedOrigins: ["http://localhost:3000"] }
      assert.strictEqual(yield* rule("disabled", request, settings), "(local) None")
    })
  )
})

describe("a request with a credential", () => {
  it.effect.each(["optional", "disabled"] as const)("acts as its holder when authentication is %s", (mode) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* rule(mode, having(as("adam"))), "adam Bearer")
      assert.strictEqual(yield* rule(mode, having(as("adam", "cookie"))), "adam Cookie")
      assert.strictEqual(yield* rule(mode, having(as("anna"))), 403)
      assert.strictEqual(yield* rule(mode, having({ cookie: "access_token=cookie-adam" })), 403)
    })
  )

  it.effect.each([
    ["a bearer token", { authorization: "Bearer x" }],
    ["an empty bearer token", { authorization: "Bearer " }],
    ["basic credentials", { authorization: "Basic YTpi" }],
    ["an API key", { "x-api-key": "x" }],
    ["a cookie", { cookie: "access_token=x" }]
  ] as const)("is refused in every mode if it does not verify: %s", ([_, headers]) =>
    Effect.gen(function* () {
      for (const mode of ["required", "optional", "disabled"] as const)
        assert.strictEqual(yield* rule(mode, having(headers)), 401)
    })
  )
})
