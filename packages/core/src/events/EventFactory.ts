/** Makes events ready for the log: gives them an id and a time, and says who caused them. */
import { Context, DateTime, Effect, Layer } from "effect"
import { EventId } from "../ids/EventId.ts"
import { Ids } from "../ids/Ids.ts"
import type { DomainEvent } from "./DomainEvent.ts"
import type { EventMetadata, NewEvent } from "./StoredEvent.ts"

/** What every event of this instance says about the instance. An instance replaces it once, at start-up. */
export const EventSource = Context.Reference<Pick<EventMetadata, "serviceName" | "serviceVersion" | "environment">>(
  "@fairlead/core/events/EventSource",
  {
    defaultValue: () => ({ serviceName: "fairlead", serviceVersion: "0.1.0", environment: "production" })
  }
)

/** On whose behalf, and about what. */
export interface EventCause {
  readonly aggregateId: string
  readonly correlationId: string
  readonly userId?: string | undefined
  readonly ipAddress?: string | undefined
  readonly userAgent?: string | undefined
}

export class EventFactory extends Context.Service<
  EventFactory,
  {
    make(cause: EventCause, event: DomainEvent): Effect.Effect<NewEvent>
    /** In the order given, all with one time. */
    makeAll(cause: EventCause, events: ReadonlyArray<DomainEvent>): Effect.Effect<ReadonlyArray<NewEvent>>
  }
>()("@fairlead/core/events/EventFactory") {
  static readonly layer = Layer.effect(
    EventFactory,
    Effect.gen(function* () {
      const ids = yield* Ids
      const source = yield* EventSource

      const makeAll = Effect.fnUntraced(function* (cause: EventCause, events: ReadonlyArray<DomainEvent>) {
        const at = yield* DateTime.now
        const { aggregateId, correlationId, ipAddress, userAgent, userId } = cause
        const metadata: EventMetadata = {
          ...source,
          correlationId,
          ...(userId === undefined ? {} : { userId }),
          ...(ipAddress === undefined ? {} : { ipAddress }),
          ...(userAgent === undefined ? {} : { userAgent })
        }
        return yield* Effect.forEach(events, (event) =>
          Effect.map(ids.uuid, (id): NewEvent => ({ eventId: EventId.make(id), at, aggregateId, event, metadata }))
        )
      })
      const make = Effect.fnUntraced(function* (cause: EventCause, event: DomainEvent) {
        const [made] = yield* makeAll(cause, [event])
        return made ?? (yield* Effect.die("one event in, one out"))
      })
      return EventFactory.of({ make, makeAll })
    })
  )
}
