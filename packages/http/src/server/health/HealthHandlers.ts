/** Binds health checks, capabilities and metrics to `Health`, `ScriptRuntimes` and the metric registry. */
import type { Principal } from "@fairlead/core/auth/Principal"
import type { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import { Executions } from "@fairlead/core/executions/Executions"
import { Health, type Readiness } from "@fairlead/core/health/Health"
import { HealthSettings } from "@fairlead/core/health/HealthSettings"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { DateTime, Effect, Option } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { PrometheusMetrics } from "effect/observability"
import { CurrentPrincipal } from "../../api/Access.ts"
import { HealthApi, NotReady } from "../../api/health/HealthApi.ts"
import { version } from "../../api/Version.ts"
import { HttpSettings } from "../HttpSettings.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"
import { MountedApi } from "../MountedApi.ts"
import { ProcessMetrics } from "../ProcessMetrics.ts"
import * as MetricsAccess from "./MetricsAccess.ts"

export const HealthHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(HealthApi),
  "health",
  Effect.fnUntraced(function* (handlers) {
    const health = yield* Health
    const runtimes = yield* ScriptRuntimes
    /** Absent where an instance serves no executions; the report then says nothing about them. */
    const executions = yield* Effect.serviceOption(Executions)
    const { features } = yield* MountedApi
    const { maxConcurrentExecutions } = yield* HealthSettings
    const { authMode } = yield* HttpSettings
    const checkMetricsAccess = yield* MetricsAccess.make

    const countsOf = Effect.fnUntraced(function* (service: Executions["Service"], caller: Principal) {
      const from = DateTime.subtract(yield* DateTime.now, { hours: 1 })
      const count = (status: ExecutionStatus, since: DateTime.Utc | undefined) =>
        Effect.map(
          service.list(caller, { scope: "visible", statuses: [status], from: since, limit: 1, offset: 0 }),
          ({ total }) => total
        )
      return {
        ...(maxConcurrentExecutions === undefined ? {} : { maxConcurrentExecutions }),
        currentRunningExecutions: yield* count("running", undefined),
        recentExecutions_1h: {
          completed: yield* count("completed", from),
          running: yield* count("running", from),
          failed: yield* count("failed", from)
        }
      }
    })

    return handlers.handleAll({
      live: Effect.fnUntraced(function* () {
        return { status: "ok" as const, uptimeSeconds: yield* health.uptimeSeconds, timestamp: yield* DateTime.now }
      }),
      ready: Effect.fnUntraced(function* () {
        const { draining, durability, ready, ...found } = yield* health.readiness
        const components = componentsView(found.components)
        if (!ready) {
          return yield* new NotReady({ ready: false, draining, durability, components, retryAfterSeconds: 1 })
        }
        const uptimeSeconds = yield* health.uptimeSeconds
        return { status: "ok" as const, uptimeSeconds, ready: true as const, draining, durability, components }
      }),
      alive: () => Effect.succeed({ status: "alive" as const }),
      summary: () =>
        Effect.succeed({ status: "healthy" as const, service: "fairlead" as const, version, topologyKinds: [] }),
      report: Effect.fnUntraced(function* () {
        const caller = yield* CurrentPrincipal
        const { components, draining, durability, ready } = yield* health.readiness
        const counts = Option.isSome(executions) ? yield* countsOf(executions.value, caller) : undefined
        return {
          overallStatus: ready ? ("healthy" as const) : ("unhealthy" as const),
          totalResponseTimeMs: Math.max(0, ...components.map(({ responseTimeMillis }) => responseTimeMillis)),
          durability,
          draining,
          components: componentsView(components),
          ...(counts === undefined ? {} : { systemMetrics: counts })
        }
      }),
      capabilities: Effect.fnUntraced(function* () {
        const known = yield* runtimes.all
        return {
          authMode,
          topologyKinds: [],
          resourceTopologyKinds: [],
          runtimes: known.map(({ isolation, kind, languages }) => ({ kind, isolation, languages })),
          languages: Object.fromEntries(
            known.flatMap(({ languages }) => languages.map(({ name, versions }) => [name, versions]))
          ),
          features
        }
      }),
      metrics: Effect.fnUntraced(function* () {
        yield* checkMetricsAccess()
        yield* yield* ProcessMetrics
        return yield* PrometheusMetrics.format()
      })
    })
  }, withServices)
).pipe(lean)

const componentsView = (components: Readiness["components"]) =>
  Object.fromEntries(
    components.map(({ detail, healthy, name, responseTimeMillis }) => [
      name,
      {
        status: healthy ? ("healthy" as const) : ("unhealthy" as const),
        responseTimeMs: Math.round(responseTimeMillis),
        message: detail
      }
    ])
  )
