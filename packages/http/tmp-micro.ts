import "effect/schema/SchemaJITCompiler/enable"
import { Health } from "@fairlead/core/health/Health"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Storage } from "@fairlead/core/storage/Storage"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { Users } from "@fairlead/core/auth/users/Users"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { layerIdentity } from "@fairlead/core/Fairlead"
import { Context, Effect, Layer, References, Redacted } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpEffect } from "effect/http"
import { HttpApi } from "effect/http-api"
import { AuthApi } from "./src/api/AuthApi.ts"
import { HealthApi } from "./src/api/HealthApi.ts"
import { aliases } from "./src/api/compat/Aliases.ts"
import * as ApiLayer from "./src/server/ApiLayer.ts"
import { AuthHandlers } from "./src/server/AuthHandlers.ts"
import { HealthHandlers } from "./src/server/HealthHandlers.ts"
import { routerConfig } from "./src/server/RouteTable.ts"
import * as Scripted from "./test/support/ScriptedAccounts.ts"

const real = layerIdentity({ secret: Redacted.make("a secret for tests of at least 32 bytes") }).pipe(
    Layer.provide([AccessTokens.layerMemory, PasswordHasher.layerMemory]))
const run = Effect.gen(function* () {
  const bench = Effect.fnUntraced(function* (name: string, identity: Layer.Layer<any, any, any>, path: string, headers: any) {
    const services = yield* Layer.build(Layer.mergeAll(identity, Health.layer.pipe(Layer.provideMerge(ScriptRuntimes.layer))).pipe(Layer.provide(Storage.layerMemory)) as Layer.Layer<any>)
    const token = name.startsWith("real") ? yield* Effect.gen(function* () {
      const o = { correlationId: "x" }
      yield* (yield* Users).register({ username: "alice", email: "a@b.c", password: Redacted.make("s3cr3t-fair") }, o)
      return Redacted.value((yield* (yield* Sessions).login("alice", Redacted.make("s3cr3t-fair"), o)).accessToken)
    }).pipe(Effect.provideContext(services)) : "bearer-anna"
    const routes = ApiLayer.layer({ api: HttpApi.make("fairlead").add(AuthApi).add(HealthApi), aliases, handlers: Layer.mergeAll(AuthHandlers, HealthHandlers) }).pipe(Layer.provide(Layer.succeedContext(services)), Layer.provide(HttpServer.layerServices))
    const app: any = yield* HttpRouter.toHttpEffect(routes as any).pipe(Effect.provideService(HttpRouter.RouterConfig, routerConfig))
    const handled = HttpEffect.toHandled(app, (_r, r) => { if (r.status !== 200) throw new Error("" + r.status); return Effect.void })
    const h = headers(token)
    const ctx = yield* Effect.context<never>()
    const one = () => Effect.runForkWith(Context.add(ctx, HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(new Request("http://h" + path, { headers: h })) as any) as any)(handled as any)
    const N = 30000
    const mk = () => { for (let i = 0; i < 3000; i++) HttpServerRequest.fromWeb(new Request("http://h" + path, { headers: h })).headers }
    for (let i = 0; i < 5000; i++) one()
    const p0 = process.cpuUsage(); mk(); const p1 = process.cpuUsage(p0)
    const base = (p1.user + p1.system) / 3000
    const t = process.cpuUsage()
    for (let i = 0; i < N; i++) { one(); if (i % 500 === 0) yield* Effect.promise(() => new Promise((r) => setImmediate(r))) }
    const u = process.cpuUsage(t)
    console.log(name, path, ((u.user + u.system) / N - base).toFixed(1), "us/req (request object", base.toFixed(1), ")")
  })
  const bearer = (t: string) => ({ authorization: `Bearer ${t}` })
  const only = process.argv[2]
  if (!only) yield* bench("scripted", Scripted.layer, "/health/healthz", () => ({}))
  if (!only) yield* bench("scripted", Scripted.layer, "/api/v1/health/live", () => ({}))
  if (!only) yield* bench("scripted", Scripted.layer, "/api/v1/auth/verify-token", bearer)
  if (!only || only === "scripted") yield* bench("scripted", Scripted.layer, "/api/v1/auth/me", bearer)
  if (!only) yield* bench("scripted cookie", Scripted.layer, "/api/v1/auth/me", () => ({ cookie: "access_token=cookie-anna" }))
  if (!only || only === "real") yield* bench("real", real as any, "/api/v1/auth/me", bearer)
}).pipe(Effect.scoped, Effect.provideService(References.TracerEnabled, false))
Effect.runPromise(run as any)
