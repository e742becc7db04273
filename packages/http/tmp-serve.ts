import "effect/schema/SchemaJITCompiler/enable"
import { createRequire } from "node:module"
import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { layerIdentity } from "@fairlead/core/Fairlead"
import { Health } from "@fairlead/core/health/Health"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Storage } from "@fairlead/core/storage/Storage"
import { Effect, Layer, Redacted, Tracer, References } from "effect"
import { HttpApi } from "effect/http-api"
import { AuthApi } from "./src/api/AuthApi.ts"
import { HealthApi } from "./src/api/HealthApi.ts"
import { DocsApi } from "./src/api/DocsApi.ts"
import { aliases } from "./src/api/compat/Aliases.ts"
import * as ApiLayer from "./src/server/ApiLayer.ts"
import { AuthHandlers } from "./src/server/AuthHandlers.ts"
import { HealthHandlers } from "./src/server/HealthHandlers.ts"
import { DocsHandlers } from "./src/server/DocsHandlers.ts"
import * as NodeDocsAssets from "./src/node/NodeDocsAssets.ts"
import * as NodeProcessMetrics from "./src/node/NodeProcessMetrics.ts"
import * as NodeHost from "./src/node/NodeHost.ts"
import * as Identities from "./test/support/Identities.ts"
import * as Scripted from "./test/support/ScriptedAccounts.ts"

if (process.argv[2] === "fastify") {
  const fastify = createRequire(new URL("../../bench/package.json", import.meta.url))("fastify")
  const app = fastify()
  const s = (t: string) => ({ type: t })
  app.get("/api/v1/auth/me", { schema: { response: { 200: { type: "object", properties: { user_id: s("string"), id: s("string"), username: s("string"), email: s("string"), full_name: s("string"), role: s("string"), is_active: s("boolean"), is_superuser: s("boolean"), created_at: s("string"), updated_at: s("string") } } } } }, () => ({ user_id: "019a0000-0000-7000-8000-000100000000", id: "019a0000-0000-7000-8000-000100000000", username: "anna", email: "anna@example.com", full_name: null, role: "user", is_active: true, is_superuser: false, created_at: "2026-01-01T00:00:00.000Z", updated_at: "2026-01-01T00:00:00.000Z" }))
  await app.listen({ port: 7001 })
} else {
  const scripted = process.argv[2] === "scripted"
  const identity = scripted ? Scripted.layer : layerIdentity({ secret: Redacted.make("a secret for tests of at least 32 bytes") }).pipe(
    Layer.provide([AccessTokens.layerMemory, PasswordHasher.layerMemory]))
  const services = Layer.mergeAll(identity, Health.layer.pipe(Layer.provideMerge(ScriptRuntimes.layer))).pipe(Layer.provide(Storage.layerMemory))
  const routes = ApiLayer.layer({ api: HttpApi.make("fairlead").add(AuthApi).add(DocsApi).add(HealthApi), aliases, handlers: Layer.mergeAll(AuthHandlers, DocsHandlers, HealthHandlers) }).pipe(
    Layer.provide([services, NodeDocsAssets.layer, NodeProcessMetrics.layer]))
  const run = Effect.gen(function* () {
    const l = yield* NodeHost.serve(routes, { port: 7002 })
    console.log(l.url)
    yield* Effect.never
  }).pipe(Effect.scoped, Effect.provideService(References.TracerEnabled, process.env.TRACE === "1"))
  process.on("SIGINT", () => process.exit(0)); Effect.runFork(run as any)
}
