import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { as, type Person } from "../support/Identities.ts"
import { routes } from "../support/ProbeApi.ts"
import { serve } from "../support/TestServer.ts"

const cookie = (person: Person) => ({ cookie: `access_token=cookie-${person}; csrf_token=csrf-${person}` })
const read = Effect.fnUntraced(function* (headers: Record<string, string>) {
  const { body, status } = yield* (yield* serve(routes))("GET", "/api/v1/probe/read", { headers })
  return status === 200 ? `${body["username"]} ${body["via"]}` : status
})
const write = Effect.fnUntraced(function* (headers: Record<string, string>) {
  const { body, status } = yield* (yield* serve(routes))("POST", "/api/v1/probe/write", { headers })
  return status === 200 ? `${body["username"]} ${body["via"]}` : `${status} ${body["code"]}`
})

describe("Authentication", () => {
  it.effect.each([
    ["a cookie", cookie("anna"), "anna Cookie"],
    ["a bearer token", as("anna"), "anna Bearer"],
    ["a bearer token, however spelled", { authorization: "bEARER bearer-anna" }, "anna Bearer"],
    ["an API key", as("anna", "key"), "anna ApiKey"],
    ["an API key before a bearer token", { ...as("bert"), ...as("anna", "key") }, "anna ApiKey"],
    ["a bearer token before a cookie", { ...cookie("bert"), ...as("anna") }, "anna Bearer"],
    ["a cookie beside a bearer token that is none", { ...cookie("anna"), authorization: "Bearer x" }, "anna Cookie"],
    ["an API key as bearer", { authorization: `Bearer ${as("anna", "key")["x-api-key"]}` }, "anna ApiKey"],
    ["a cookie beside a key that is none", { ...cookie("anna"), "x-api-key": "x" }, "anna Cookie"],
    ["a bearer token beside an old cookie", { cookie: "access_token=old", ...as("anna") }, "anna Bearer"]
  ] as const)("knows the caller by %s", ([_, headers, caller]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* read(headers), caller)
    })
  )

  it.effect.each([
    ["nothing", {}],
    ["a cookie that is none", { cookie: "access_token=x" }],
    ["a bearer token in the cookie's place", { cookie: "access_token=bearer-anna" }],
    ["a cookie in the bearer token's place", { authorization: "Bearer cookie-anna" }],
    ["a bearer token in the key's place", { "x-api-key": "bearer-anna" }],
    ["basic credentials", { authorization: "Basic YW5uYTpzM2NyM3Q=" }],
    ["an empty bearer token", { authorization: "Bearer " }]
  ] as const)("refuses %s", ([_, headers]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* read(headers), 401)
    })
  )
})

describe("CSRF", () => {
  it.effect.each([
    ["without a token", cookie("anna"), "403 CSRF_REJECTED"],
    ["with an empty token", { ...cookie("anna"), "x-csrf-token": "" }, "403 CSRF_REJECTED"],
    ["with another session's token", { ...cookie("anna"), "x-csrf-token": "csrf-bert" }, "403 CSRF_REJECTED"],
    [
      "with a token of one's own making in cookie and header",
      { cookie: "access_token=cookie-anna; csrf_token=mine", "x-csrf-token": "mine" },
      "403 CSRF_REJECTED"
    ],
    ["beside a bearer token that is none", { ...cookie("anna"), authorization: "Bearer x" }, "403 CSRF_REJECTED"],
    ["beside an API key that is none", { ...cookie("anna"), "x-api-key": "x" }, "403 CSRF_REJECTED"],
    [
      "beside another user's cookie token as bearer",
      { ...cookie("anna"), authorization: "Bearer cookie-bert" },
      "403 CSRF_REJECTED"
    ],
    ["with the session's token", as("anna", "cookie"), "anna Cookie"],
    [
      "with the session's token and no CSRF cookie",
      { cookie: "access_token=cookie-anna", "x-csrf-token": "csrf-anna" },
      "anna Cookie"
    ],
    ["beside a bearer token that counts", { ...cookie("bert"), ...as("anna") }, "anna Bearer"]
  ] as const)("a cookie write %s", ([_, headers, expected]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* write(headers), expected)
    })
  )

  it.effect("is not asked of bearer tokens and API keys", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* write(as("anna")), "anna Bearer")
      assert.strictEqual(yield* write(as("anna", "key")), "anna ApiKey")
    })
  )
})

describe("Authorization", () => {
  it.effect("lets in who holds the permission, and names it to who does not", () =>
    Effect.gen(function* () {
      const call = yield* serve(routes)
      assert.strictEqual((yield* call("POST", "/api/v1/probe/rule", { headers: as("adam") })).status, 200)
      const refused = yield* call("POST", "/api/v1/probe/rule", { headers: as("olga") })
      assert.deepStrictEqual([refused.status, refused.body["needs"]], [403, "executions:admin"])
    })
  )
})
