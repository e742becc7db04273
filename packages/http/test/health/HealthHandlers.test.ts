import { assert, describe, it } from "@effect/vitest"
import { Health } from "@fairlead/core/health/Health"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as Stores from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { aliases } from "@fairlead/http/api/compat/Aliases"
import { HealthApi } from "@fairlead/http/api/health/HealthApi"
import * as ApiLayer from "@fairlead/http/server/ApiLayer"
import { defaultSettings, HttpSettings } from "@fairlead/http/server/HttpSettings"
import { HealthHandlers } from "@fairlead/http/server/health/HealthHandlers"
import { Effect, Layer, Stream } from "effect"
import { HttpApi } from "effect/http-api"
import * as Identities from "../support/Identities.ts"
import { type Call, serve } from "../support/TestServer.ts"

const api = HttpApi.make("fairlead").add(HealthApi)
const runtime: ScriptRuntime = {
  kind: "process",
  node: "secret-machine",
  languages: [{ name: "python", versions: ["3.12.3", "3.11.9"], fileExtension: "py" }],
  isolation: "none",
  start: () => Effect.die("unused"),
  observe: () => Stream.die("unused"),
  stop: () => Effect.die("unused"),
  remove: () => Effect.die("unused"),
  list: Effect.succeed([]),
  inspect: () => Effect.die("unused")
}
const registered = Layer.effectDiscard(Effect.flatMap(ScriptRuntimes, (runtimes) => runtimes.register(runtime))).pipe(
  Layer.provideMerge(ScriptRuntimes.layer)
)
const away = Layer.effect(
  Storage,
  Effect.map(Storage, (storage) =>
    Storage.of({
      ...storage,
      durability: "process",
      check: Effect.fail(
        new StorageError({ operation: "check", retryable: true, cause: new Error("password=hunter2") })
      )
    })
  )
)

interface HostOptions {
  readonly storeAway?: boolean
  readonly settings?: Partial<typeof defaultSettings>
}
const host = Effect.fnUntraced(function* ({ settings, storeAway = false }: HostOptions = {}) {
  const stores = storeAway ? away.pipe(Layer.provideMerge(Stores.layerMemory)) : Stores.layerMemory
  const services = yield* Layer.build(
    Health.layer.pipe(Layer.provideMerge(registered), Layer.provide(stores), Layer.merge(Identities.layer))
  )
  const call = yield* serve(
    ApiLayer.layer({ api, aliases, handlers: HealthHandlers }).pipe(
      Layer.provide(Layer.succeedContext(services)),
      Layer.provide(Layer.succeed(HttpSettings, { ...defaultSettings, ...settings }))
    )
  )
  return { call, drain: Effect.flatMap(Health, ({ drain }) => drain).pipe(Effect.provideContext(services)) }
})

describe("health checks", () => {
  it.effect.each([
    ["/api/v1/health/live", "ok"],
    ["/health/live", "ok"],
    ["/healthz/live", "ok"],
    ["/api/v1/health/ready", "ok"],
    ["/health/ready", "ok"],
    ["/health/readyz", "ok"],
    ["/healthz/ready", "ok"],
    ["/health/healthz", "alive"],
    ["/health", "healthy"],
    ["/health/health", "healthy"]
  ] as const)("%s says %s to everybody", ([path, status]) =>
    Effect.gen(function* () {
      const { call } = yield* host()
      const answer = yield* call("GET", path)
      assert.deepStrictEqual([answer.status, answer.body["status"]], [200, status])
      assert.strictEqual((yield* call("HEAD", path)).status, 200)
    })
  )

  it.effect("says what an acknowledged write survives, and how each component does", () =>
    Effect.gen(function* () {
      const { body } = yield* (yield* host()).call("GET", "/api/v1/health/ready")
      assert.deepInclude(body, { ready: true, draining: false, durability: "none", uptime_seconds: 0 })
      assert.deepStrictEqual(Object.keys(body["components"]).sort(), ["database", "runtime_process", "worker_queue"])
      assert.strictEqual(body["components"].database.status, "healthy")
    })
  )

  it.effect("is not ready while the store is away, alive all the same, and tells no driver's words", () =>
    Effect.gen(function* () {
      const { call } = yield* host({ storeAway: true })
      const ready = yield* call("GET", "/healthz/ready")
      assert.deepStrictEqual([ready.status, ready.body["code"]], [503, "NOT_READY"])
      assert.deepInclude(ready.body, { ready: false, durability: "process", detail: "Unhealthy: database." })
      assert.strictEqual(ready.body["components"].database.message, "failed: StorageError")
      assert.strictEqual(ready.headers.get("retry-after"), "1")
      assert.notInclude(ready.text, "hunter2")
      assert.strictEqual((yield* call("GET", "/health/live")).status, 200)
    })
  )

  it.effect("is not ready once the host drains", () =>
    Effect.gen(function* () {
      const { call, drain } = yield* host()
      assert.strictEqual((yield* call("GET", "/health/ready")).status, 200)
      yield* drain
      const { body, status } = yield* call("GET", "/health/ready")
      assert.deepStrictEqual([status, body["draining"]], [503, true])
    })
  )

  it.effect("reports in the shape of the documents to callers with the permission", () =>
    Effect.gen(function* () {
      const { call } = yield* host()
      assert.strictEqual((yield* call("GET", "/api/v1/health")).status, 401)
      const { body } = yield* call("GET", "/api/v1/health", { headers: Identities.as("vera") })
      assert.deepInclude(body, { overall_status: "healthy", durability: "none" })
      assert.isNumber(body["total_response_time_ms"])
      assert.deepStrictEqual(Object.keys(body["components"].database).sort(), ["message", "response_time_ms", "status"])
    })
  )

  it.effect("lists runtimes, languages and the operations of each mounted area, but no machine", () =>
    Effect.gen(function* () {
      const { call } = yield* host()
      for (const path of ["/capabilities", "/api/v1/capabilities"]) {
        const { body, text } = yield* call("GET", path)
        assert.strictEqual(body["auth_mode"], "required")
        assert.deepStrictEqual(body["languages"], { python: ["3.12.3", "3.11.9"] })
        assert.deepStrictEqual(body["runtimes"][0].languages[0].file_extension, "py")
        assert.deepStrictEqual([body["topology_kinds"], body["resource_topology_kinds"]], [[], []])
        assert.deepStrictEqual(Object.keys(body["features"]), ["health"])
        assert.include(body["features"].health, "ready")
        assert.notInclude(text, "secret-machine")
      }
    })
  )
})

describe("GET /metrics", () => {
  const local = { remoteAddress: "127.0.0.1" }
  it.effect.each([
    ["a local peer", local, "local", 200],
    ["a local peer by IPv6", { remoteAddress: "::1" }, "local", 200],
    [
      "a local proxy that speaks for somebody",
      { ...local, headers: { "x-forwarded-for": "203.0.113.9" } },
      "local",
      401
    ],
    ["a peer elsewhere", { remoteAddress: "203.0.113.9" }, "local", 401],
    ["a peer that nobody knows", {}, "local", 401],
    ["a bearer token", { headers: Identities.as("vera") }, "local", 200],
    ["an API key", { headers: Identities.as("vera", "key") }, "local", 200],
    ["a key that is none", { headers: { "x-api-key": "x" } }, "local", 401],
    ["a cookie", { headers: Identities.as("vera", "cookie") }, "local", 401],
    ["a local peer, where everybody needs the permission", local, "permission", 401],
    ["anybody, where the host says so", {}, "public", 200]
  ] as const satisfies ReadonlyArray<readonly [string, Call, string, number]>)(
    "%s",
    ([_, request, metricsAccess, status]) =>
      Effect.gen(function* () {
        const { call } = yield* host({ settings: { metricsAccess } })
        assert.strictEqual((yield* call("GET", "/metrics", request)).status, status)
      })
  )

  it.effect("counts requests by method, route and status, with bounded labels", () =>
    Effect.gen(function* () {
      const { call } = yield* host()
      for (const path of ["/health/live", "/nowhere/1", "/nowhere/2"]) yield* call("GET", path)
      yield* call("PROPFIND", "/nowhere/3")
      const { headers, text } = yield* call("GET", "/metrics", local)
      assert.strictEqual(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      assert.match(text, /^http_requests_total\{method="GET",route="\/api\/v1\/health\/live",status="200"\} \d+$/m)
      assert.match(text, /^http_requests_total\{method="GET",route="unmatched",status="404"\} \d+$/m)
      assert.match(text, /^http_requests_total\{method="OTHER",route="unmatched",status="404"\} \d+$/m)
      assert.match(
        text,
        /^http_request_duration_seconds_bucket\{.*route="\/api\/v1\/health\/live".*le="0\.005"\} \d+$/m
      )
      assert.notInclude(text, "/nowhere")
    })
  )
})
