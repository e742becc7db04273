import { assert, describe, it } from "@effect/vitest"
import { defaultSettings, HttpSettings } from "@fairlead/http/server/HttpSettings"
import { Effect, Layer } from "effect"
import { IpNetwork } from "effect/net"
import { as } from "../support/Identities.ts"
import { routes } from "../support/ProbeApi.ts"
import { serve } from "../support/TestServer.ts"

const id = "019a0000-0000-7000-8000-000000000001"
/** A note of `depth` levels, the note itself one of them. */
const nested = (depth: number) => `{"text":"a","more":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`
const serveWith = (settings: Partial<typeof defaultSettings>) =>
  serve(routes.pipe(Layer.provide(Layer.succeed(HttpSettings, { ...defaultSettings, ...settings }))))

describe("Edge, problems", () => {
  it.effect.each([
    ["GET", "/nowhere", {}, 404, "NOT_FOUND"],
    ["GET", "/api/v1/probe/items/no-uuid", {}, 404, "NOT_FOUND"],
    ["PUT", "/api/v1/probe/read", {}, 405, "METHOD_NOT_ALLOWED"],
    ["POST", "/api/v1/probe/notes", { body: "{" }, 400, "MALFORMED_BODY"],
    ["POST", "/api/v1/probe/notes", { body: nested(65) }, 400, "BODY_TOO_DEEP"],
    ["POST", "/api/v1/probe/notes", { body: { text: 1 } }, 422, "REQUEST_INVALID"],
    [
      "POST",
      "/api/v1/probe/notes",
      { headers: { "content-type": "text/csv" }, body: "a" },
      415,
      "UNSUPPORTED_MEDIA_TYPE"
    ],
    ["POST", "/api/v1/probe/short-notes", { body: { text: "x".repeat(60) } }, 413, "BODY_TOO_LARGE"],
    ["POST", "/api/v1/probe/notes", { body: { text: "x".repeat(1024 * 1024) } }, 413, "BODY_TOO_LARGE"],
    ["GET", `/api/v1/probe/read?${"x".repeat(8192)}`, {}, 414, "URI_TOO_LONG"],
    ["GET", "/api/v1/probe/bug", {}, 500, "INTERNAL_ERROR"],
    ["GET", "/api/v1/probe/broken", {}, 500, "INTERNAL_ERROR"],
    ["GET", "/api/v1/probe/away", {}, 503, "UNAVAILABLE"],
    ["GET", "/api/v1/probe/undeclared", { headers: as("adam") }, 500, "INTERNAL_ERROR"],
    ["GET", "/api/v1/probe/read", {}, 401, "UNAUTHORIZED"],
    ["POST", "/api/v1/probe/rule", { headers: as("anna") }, 403, "FORBIDDEN"],
    ["POST", "/api/v1/probe/write", { headers: { cookie: "access_token=cookie-anna" } }, 403, "CSRF_REJECTED"]
  ] as const)("%s %s is a problem", ([method, path, call, status, code]) =>
    Effect.gen(function* () {
      const answer = yield* (yield* serve(routes))(method, path, {
        ...call,
        headers: { ...("headers" in call ? call.headers : {}), "x-request-id": "r-1" }
      })
      assert.deepStrictEqual([answer.status, answer.body["code"]], [status, code])
      assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
      assert.strictEqual(answer.headers.get("x-request-id"), "r-1")
      const { body } = answer
      assert.deepInclude(body, { status, status_code: status, request_id: "r-1", error: body["detail"] })
      assert.match(body["type"], /^urn:fairlead:problem:[a-z-]+$/)
      assert.isString(body["title"])
      assert.notInclude(answer.text, "hunter2")
      assert.notInclude(answer.text, "Error:")
    })
  )

  it.effect("takes a body of 64 levels, and brackets within texts by the thousand; says how deep it may be", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      assert.strictEqual((yield* call("POST", "/api/v1/probe/notes", { body: nested(64) })).status, 200)
      const text = `"\\"${"[{".repeat(1000)}`
      const kept = yield* call("POST", "/api/v1/probe/notes", { body: { text } })
      assert.deepStrictEqual([kept.status, kept.body["text"]], [200, text])
      const deep = yield* call("POST", "/api/v1/probe/notes", { body: nested(5_000) })
      assert.deepInclude(deep.body, { status: 400, maximum_depth: 64 })
      assert.include(deep.body["detail"], "at most 64 levels")
    })
  )

  it.effect("says which methods an address takes", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      assert.strictEqual((yield* call("PROPFIND", "/api/v1/probe/read")).headers.get("allow"), "GET, HEAD")
      assert.strictEqual((yield* call("DELETE", `/api/v1/${id}`)).headers.get("allow"), "GET, HEAD")
    })
  )

  it.effect("says when to come back, in body and header", () =>
    Effect.gen(function* () {
      const answer = yield* (yield* serve(routes))("GET", "/api/v1/probe/away")
      assert.deepStrictEqual([answer.headers.get("retry-after"), answer.body["retry_after_seconds"]], ["1", 1])
    })
  )

  it.effect("names each fault of a request by its path, and repeats no value", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      const { body, text } = yield* call("POST", "/api/v1/probe/notes", { body: { text: ["hunter2"] } })
      assert.deepStrictEqual(body["issues"][0].path, ["payload", "text"])
      assert.notInclude(text, "hunter2")
      const query = yield* call("GET", `/api/v1/probe/items/${id}?limit=many`)
      assert.deepStrictEqual([query.status, query.body["issues"][0].path], [422, ["query", "limit"]])
    })
  )

  it.effect("asks a caller without credentials to log in by Bearer", () =>
    Effect.gen(function* () {
      const answer = yield* (yield* serve(routes))("GET", "/api/v1/probe/read")
      assert.strictEqual(answer.headers.get("www-authenticate"), "Bearer")
    })
  )
})

describe("Edge, request id", () => {
  it.effect.each(["a".repeat(128), "trace 1/2"])("takes %s", (given) =>
    Effect.gen(function* () {
      const answer = yield* (yield* serve(routes))("GET", "/api/v1/probe/seen", { headers: { "x-request-id": given } })
      assert.deepStrictEqual([answer.headers.get("x-request-id"), answer.body["id"]], [given, given])
    })
  )
  it.effect.each(["a".repeat(129), "tab\there", "caf\u00e9"])("replaces %j", (given) =>
    Effect.gen(function* () {
      const answer = yield* (yield* serve(routes))("GET", "/api/v1/probe/seen", { headers: { "x-request-id": given } })
      assert.match(answer.body["id"], /^[0-9a-f-]{36}$/)
      assert.strictEqual(answer.headers.get("x-request-id"), answer.body["id"])
    })
  )
})

describe("Edge, routes", () => {
  it.effect("answers HEAD like GET, without a body, through aliases too", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      for (const path of ["/api/v1/probe/read", "/read-me"]) {
        const answer = yield* call("HEAD", path, { headers: as("anna") })
        assert.deepStrictEqual([answer.status, answer.text], [200, ""])
      }
      assert.strictEqual((yield* call("HEAD", "/api/v1/probe/write")).status, 405)
    })
  )

  it.effect("serves an alias by the same endpoint, with its parameters and query", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      assert.strictEqual((yield* call("GET", "/read-me", { headers: as("anna") })).body["username"], "anna")
      assert.strictEqual((yield* call("GET", `/show/${id}`)).text, JSON.stringify(id))
      assert.strictEqual((yield* call("GET", `/show/${id}?limit=x`)).status, 422)
    })
  )

  it.effect("takes only UUIDs right behind the version", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      assert.strictEqual((yield* call("GET", `/api/v1/${id}/show`)).status, 200)
      for (const word of ["auth", "metrics", "12345", `${id}x`, `${id}%2f`, ".."]) {
        for (const path of [`/api/v1/${word}`, `/api/v1/${word}/show`])
          for (const method of ["GET", "DELETE"])
            assert.strictEqual((yield* call(method, path)).status, 404, `${method} ${path}`)
      }
    })
  )

  it.effect.each([
    "/api/v1/probe/read/",
    "//api/v1//probe/read",
    "/api/v1/probe/read;jsessionid=1",
    "/api/v1/probe/%72ead",
    "/api/v1/probe/notes/../read",
    "/api/v1/probe/notes/%2e%2e/read",
    "/api/v1/probe%2fread",
    "/API/v1/probe/read",
    "/api/v1/probe/read%00",
    "/read-me/",
    "/READ-ME",
    "/read-me%2f..%2f"
  ])("%s is never softer than the address it plays", (path) =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      assert.include([401, 404], (yield* call("GET", path)).status)
      for (const name of ["x-http-method-override", "x-original-url", "x-rewrite-url"])
        assert.include([401, 404], (yield* call("GET", path, { headers: { [name]: "/api/v1/probe/seen" } })).status)
    })
  )
})

describe("Edge, headers", () => {
  it.effect("protects every answer", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      for (const path of ["/api/v1/probe/seen", "/api/v1/probe/bug", "/nowhere"]) {
        const { headers } = yield* call("GET", path)
        assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
        assert.strictEqual(headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'")
        assert.strictEqual(headers.get("referrer-policy"), "no-referrer")
        assert.strictEqual(headers.get("cache-control"), "no-store")
        assert.isNull(headers.get("strict-transport-security"))
        assert.isNull(headers.get("access-control-allow-origin"))
      }
      const secure = yield* call("GET", "/api/v1/probe/seen", { origin: "https://host" })
      assert.include(secure.headers.get("strict-transport-security") ?? "", "max-age=31536000")
    })
  )

  it.effect("lets the listed origins in, with credentials, and no other", () =>
    Effect.gen(function* () {
      const call = yield* serveWith({ allowedOrigins: ["https://good.tld"] })
      const good = yield* call("GET", "/api/v1/probe/seen", { headers: { origin: "https://good.tld" } })
      assert.strictEqual(good.headers.get("access-control-allow-origin"), "https://good.tld")
      assert.strictEqual(good.headers.get("access-control-allow-credentials"), "true")
      for (const origin of [
        "https://evil.tld",
        "null",
        "https://good.tld.evil.tld",
        "https://xgood.tld",
        "http://good.tld"
      ]) {
        const { headers } = yield* call("GET", "/api/v1/probe/seen", { headers: { origin } })
        assert.deepStrictEqual([headers.get("access-control-allow-origin"), headers.get("vary")], [null, "Origin"])
      }
    })
  )

  it.effect("answers preflights itself, and only when CORS is on", () =>
    Effect.gen(function* () {
      const headers = { origin: "https://good.tld", "access-control-request-method": "POST" }
      const on = yield* (yield* serveWith({ allowedOrigins: ["https://good.tld"] }))("OPTIONS", "/api/v1/probe/write", {
        headers
      })
      assert.strictEqual(on.status, 204)
      assert.include(on.headers.get("access-control-allow-headers") ?? "", "X-CSRF-Token")
      const off = yield* (yield* serve(routes))("OPTIONS", "/api/v1/probe/write", { headers })
      assert.strictEqual(off.status, 405)
    })
  )
})

describe("Edge, origin", () => {
  const forwarded = { "x-forwarded-for": "203.0.113.9, 198.51.100.7", "x-forwarded-proto": "https, https" }

  it.effect("believes the socket, not headers", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      const { body } = yield* call("GET", "/api/v1/probe/seen", {
        headers: forwarded,
        remoteAddress: "::ffff:10.0.0.5"
      })
      assert.deepInclude(body, { address: "10.0.0.5", secure: false })
      assert.strictEqual((yield* call("GET", "/api/v1/probe/seen")).body["address"], null)
    })
  )

  it.effect("takes the rightmost address that is no proxy of ours from a trusted proxy", () =>
    Effect.gen(function* () {
      const call = yield* serveWith({ trustedProxies: [IpNetwork.fromStringUnsafe("10.0.0.0/8")] })
      const seen = (remoteAddress: string) =>
        Effect.map(call("GET", "/api/v1/probe/seen", { headers: forwarded, remoteAddress }), ({ body }) => body)
      assert.deepInclude(yield* seen("10.0.0.5"), { address: "198.51.100.7", secure: true })
      assert.deepInclude(yield* seen("192.0.2.1"), { address: "192.0.2.1", secure: false })
    })
  )
})
