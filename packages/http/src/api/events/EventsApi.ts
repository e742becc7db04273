/** Contract of `/events`: how the event streams of this host are doing. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authentication, Authorization, RequiredPermission } from "../Access.ts"
import { CommonErrors } from "../CommonErrors.ts"
import { onlyKnownMembers } from "../KnownMembers.ts"
import { wire } from "../Wire.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const StreamsHealth = wire(
  "SSEHealthResponse",
  Schema.Struct({
    status: Schema.Literals(["healthy", "draining"]),
    kafkaEnabled: Schema.Boolean,
    activeConnections: Count,
    /** Distinct executions that somebody follows here. */
    activeExecutions: Count,
    /** Streams that are still reading from the store. */
    activeConsumers: Count,
    maxConnectionsPerUser: Count,
    shutdown: Schema.Struct({
      phase: Schema.Literals(["ready", "notifying", "draining", "closing", "complete"]),
      initiated: Schema.Boolean,
      complete: Schema.Boolean,
      activeConnections: Count,
      drainingConnections: Count,
      /** Seconds since the shutdown began; `null` before. */
      duration: Schema.NullOr(Schema.Finite)
    }),
    timestamp: Schema.DateTimeUtcFromString
  })
)

export class EventsApi extends HttpApiGroup.make("events")
  .add(
    HttpApiEndpoint.get("health", "/health", { success: StreamsHealth })
      .annotate(RequiredPermission, "events:read")
      .annotate(OpenApi.Summary, "State of the event streams")
      .annotate(OpenApi.Description, "Counted on the host that answers, at this moment.")
  )
  .prefix("/api/v1/events")
  .middleware(Authorization)
  .middleware(Authentication)
  .middleware(CommonErrors)
  .annotateMerge(onlyKnownMembers)
  .annotate(OpenApi.Description, "Events and the streams that carry them") {}
