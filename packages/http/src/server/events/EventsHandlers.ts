/** Binds `/events` to what this instance knows of its streams. */
import { DateTime, Effect } from "effect"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { EventsApi } from "../../api/events/EventsApi.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"
import { SseConnections } from "../sse/SseConnections.ts"

export const EventsHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(EventsApi),
  "events",
  Effect.fnUntraced(function* (handlers) {
    const streams = yield* SseConnections
    return handlers.handle(
      "health",
      Effect.fnUntraced(function* () {
        const now = yield* streams.snapshot
        const initiated = now.phase !== "ready"
        return {
          status: initiated ? ("draining" as const) : ("healthy" as const),
          kafkaEnabled: false,
          activeConnections: now.connections,
          activeExecutions: now.topics,
          activeConsumers: now.consumers,
          maxConnectionsPerUser: now.maxConnectionsPerUser,
          shutdown: {
            phase: now.phase,
            initiated,
            complete: now.phase === "complete",
            activeConnections: now.connections,
            drainingConnections: initiated ? now.connections : 0,
            duration: now.drainingMillis === undefined ? null : now.drainingMillis / 1000
          },
          timestamp: yield* DateTime.now
        }
      })
    )
  }, withServices)
).pipe(lean)
