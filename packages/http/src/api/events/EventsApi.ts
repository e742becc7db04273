/** Contract of `/events`: how the event streams of this instance are doing. */

import { Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { area, operation } from "../Area.ts"
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

export class EventsApi extends area("events", "Events and the streams that carry them", [
  HttpApiEndpoint.get("health", "/events/health", { success: StreamsHealth }).annotateMerge(
    operation("events:read", "State of the event streams", "Counted on the instance that answers, at this moment.")
  )
]) {}
