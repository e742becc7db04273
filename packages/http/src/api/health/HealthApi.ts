/**
 * Contract of the health checks and of what this instance can do. Probes are public and say little; the report with numbers asks
 * for a permission.
 */

import { RuntimeKind } from "@fairlead/core/runtime/Job"
import { Language } from "@fairlead/core/runtime/Language"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authentication, Authorization, forbidden, unauthorized } from "../Access.ts"
import { operation } from "../Area.ts"
import { CommonErrors } from "../CommonErrors.ts"
import { onlyKnownMembers } from "../KnownMembers.ts"
import { problem } from "../Problem.ts"
import { wire } from "../Wire.ts"

const Durability = Schema.Literals(["none", "process", "disk"])
/** How one thing that the instance depends on does, by its name. */
const Components = Schema.Record(
  Schema.String,
  Schema.Struct({
    status: Schema.Literals(["healthy", "unhealthy"]),
    responseTimeMs: Schema.Int,
    message: Schema.String
  })
)

export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", {
  ready: Schema.Literal(false),
  draining: Schema.Boolean,
  durability: Durability,
  components: Components,
  retryAfterSeconds: Schema.Int
}) {}

const Live = wire(
  "Live",
  Schema.Struct({
    status: Schema.Literal("ok"),
    uptimeSeconds: Schema.Finite,
    timestamp: Schema.DateTimeUtcFromString
  })
)
const Ready = wire(
  "Ready",
  Schema.Struct({
    status: Schema.Literal("ok"),
    uptimeSeconds: Schema.Finite,
    ready: Schema.Literal(true),
    draining: Schema.Boolean,
    /** What an acknowledged write survives: a killed process, or also a power cut. */
    durability: Durability,
    components: Components
  })
)
const Summary = wire(
  "HealthSummary",
  Schema.Struct({
    status: Schema.Literal("healthy"),
    service: Schema.Literal("fairlead"),
    version: Schema.String,
    topologyKinds: Schema.Array(Schema.String)
  })
)
const Report = wire(
  "HealthReport",
  Schema.Struct({
    overallStatus: Schema.Literals(["healthy", "unhealthy"]),
    totalResponseTimeMs: Schema.Int,
    durability: Durability,
    draining: Schema.Boolean,
    components: Components,
    /** Counts what the caller may see; absent on an instance that serves no executions. */
    systemMetrics: Schema.optionalKey(
      Schema.Struct({
        maxConcurrentExecutions: Schema.optionalKey(Schema.Int),
        currentRunningExecutions: Schema.Int,
        recentExecutions_1h: Schema.Struct({ completed: Schema.Int, running: Schema.Int, failed: Schema.Int })
      })
    )
  })
)
const Capabilities = wire(
  "Capabilities",
  Schema.Struct({
    /** Whether calls need a credential: without one they get 401, or act as a built-in principal. */
    authMode: Schema.Literals(["required", "optional", "disabled"]),
    topologyKinds: Schema.Array(Schema.String),
    resourceTopologyKinds: Schema.Array(Schema.String),
    runtimes: Schema.Array(
      Schema.Struct({ kind: RuntimeKind, isolation: Schema.String, languages: Schema.Array(Language) })
    ),
    /** Versions by language, newest first, over all runtimes. */
    languages: Schema.Record(Schema.String, Schema.Array(Schema.String)),
    /** What each area of this instance can do, by area: the operations of the API document. */
    features: Schema.Record(Schema.String, Schema.Array(Schema.String))
  })
)

const notReady = problem(NotReady, {
  status: 503,
  title: "Not ready",
  detail: ({ components, draining }) =>
    draining
      ? "This instance is shutting down."
      : `Unhealthy: ${Object.keys(components)
          .filter((name) => components[name]?.status === "unhealthy")
          .join(", ")}.`
})

export class HealthApi extends HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("report", "/api/v1/health", { success: Report }).annotateMerge(
      operation(
        "health:read",
        "Report on the system",
        "Every component with its answer time, and the executions that the caller may see."
      )
    )
  )
  .middleware(Authorization)
  .middleware(Authentication)
  .add(
    HttpApiEndpoint.get("live", "/api/v1/health/live", { success: Live }).annotateMerge(
      operation("public", "Probe: alive", "Answers as long as the process does; asks nothing it depends on.")
    ),
    HttpApiEndpoint.get("ready", "/api/v1/health/ready", { success: Ready, error: notReady }).annotateMerge(
      operation(
        "public",
        "Probe: ready",
        "Asks every component, each for at most 2 s; 503 while one fails or the instance drains."
      )
    ),
    HttpApiEndpoint.get("alive", "/health/healthz", {
      success: Schema.Struct({ status: Schema.Literal("alive") }).annotate({ identifier: "Alive" })
    }).annotateMerge(operation("public", "Probe: alive, in one word", "Answers as long as the process does.")),
    HttpApiEndpoint.get("summary", "/health", { success: Summary }).annotateMerge(
      operation(
        "public",
        "Name and version",
        "Answers as long as the process does; says which service and version this is."
      )
    ),
    HttpApiEndpoint.get("capabilities", "/api/v1/capabilities", { success: Capabilities }).annotateMerge(
      operation(
        "public",
        "What this instance can do",
        "Runtimes with their languages and isolation, and the operations of each mounted area."
      )
    ),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })),
      error: [unauthorized, forbidden]
    }).annotateMerge(
      operation(
        "health:read",
        "Metrics for Prometheus",
        "Open to direct callers on the instance's own machine; everybody else needs a bearer token or an API key with the permission, unless the instance decided otherwise."
      )
    )
  )
  .middleware(CommonErrors)
  .annotateMerge(onlyKnownMembers)
  .annotate(OpenApi.Description, "Probes, capabilities and metrics.") {}
