import { assert, describe, it } from "@effect/vitest"
import { defaultSettings, HttpSettings } from "@fairlead/http/server/HttpSettings"
import { Effect, Layer } from "effect"
import { routes } from "../support/ProbeApi.ts"
import { serve } from "../support/TestServer.ts"

const serveWith = (settings: Partial<typeof defaultSettings>) =>
  serve(routes.pipe(Layer.provide(Layer.succeed(HttpSettings, { ...defaultSettings, ...settings }))))
const modes = ["required", "optional", "disabled"] as const

describe("the name that a request is sent to", () => {
  const ours = [
    "localhost",
    "LOCALHOST:8080",
    "app.localhost",
    "127.0.0.1:1",
    "10.1.2.3",
    "[::1]:80",
    "fairlead.example",
    "FairLead.example.:443"
  ]
  const others = [
    "evil.example",
    "localhost.evil.example",
    "fairlead.example.evil",
    "127.0.0.1.evil.example",
    "1.2.3.4.5",
    "",
    "xlocalhost"
  ]

  it.effect.each(modes)("must be one of ours when authentication is %s", (authMode) =>
    Effect.gen(function* () {
      const call = yield* serveWith({ authMode, allowedHosts: ["fairlead.example"] })
      const statusOf = (host: string) =>
        Effect.map(call("GET", "/api/v1/probe/seen", { headers: { host } }), ({ status }) => status)
      assert.deepStrictEqual(
        yield* Effect.forEach(ours, statusOf),
        ours.map(() => 200)
      )
      assert.deepStrictEqual(
        yield* Effect.forEach(others, statusOf),
        others.map(() => 421)
      )
    })
  )

  it.effect("is told to who used another one, with what to do about it", () =>
    Effect.gen(function* () {
      const answer = yield* (yield* serve(routes))("GET", "/nowhere", { headers: { host: "evil.example:80" } })
      assert.deepInclude(answer.body, { status: 421, code: "HOST_NOT_ALLOWED", host: "evil.example:80" })
      assert.include(answer.body["detail"], "FAIRLEAD_ALLOWED_HOSTS")
    })
  )

  it.effect("may be any where a proxy checks it, and is that of a web request without a header", () =>
    Effect.gen(function* () {
      const anything = yield* serveWith({ allowedHosts: ["*"] })
      assert.strictEqual((yield* anything("GET", "/api/v1/probe/seen", { origin: "http://evil.example" })).status, 200)
      const strict = yield* serve(routes)
      assert.strictEqual((yield* strict("GET", "/api/v1/probe/seen", { origin: "http://evil.example" })).status, 421)
    })
  )
})

describe("a request that changes something", () => {
  const note = { body: { text: "a" } }
  const send = Effect.fnUntraced(function* (headers: Record<string, string>) {
    const call = yield* serveWith({ allowedOrigins: ["https://app.example"], allowedHosts: ["fairlead.example"] })
    const { body, status } = yield* call("POST", "/api/v1/probe/notes", {
      ...note,
      headers: { host: "fairlead.example", ...headers }
    })
    return status === 200 ? 200 : `${status} ${body["code"]}`
  })

  it.effect.each([
    ["a form of another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["a form of a neighbouring site", { origin: "https://x.example", "sec-fetch-site": "same-site" }],
    ["a form of another site, on plain http", { origin: "http://evil.example" }],
    ["a form of another port, on plain http", { origin: "http://fairlead.example:3000" }],
    ["a page that hides its origin", { origin: "null" }],
    ["a page of another site without an origin", { "sec-fetch-site": "cross-site" }]
  ] as const)("is refused when it comes from %s", ([_, headers]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* send(headers), "403 CROSS_SITE_REJECTED")
    })
  )

  it.effect.each([
    ["a program", {}],
    ["our own page", { origin: "https://fairlead.example", "sec-fetch-site": "same-origin" }],
    [
      "our own page, behind a proxy that changes the name",
      { origin: "https://outside.example", "sec-fetch-site": "same-origin" }
    ],
    ["our own page, on plain http", { origin: "http://fairlead.example" }],
    ["the address bar", { "sec-fetch-site": "none" }],
    ["an allowed site", { origin: "https://app.example", "sec-fetch-site": "cross-site" }]
  ] as const)("is taken when it comes from %s", ([_, headers]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* send(headers), 200)
    })
  )

  it.effect("is not confused with one that only reads: links of other sites lead here", () =>
    Effect.gen(function* () {
      const answer = yield* (yield* serve(routes))("GET", "/api/v1/probe/seen", {
        headers: { "sec-fetch-site": "cross-site" }
      })
      assert.strictEqual(answer.status, 200)
    })
  )
})
