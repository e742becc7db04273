/** What a group of consumers wants, and what it does with an event. */
import type { Effect } from "effect"
import type { DomainEventTag } from "../events/DomainEvent.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { BusGroup, DeliveryError } from "./Delivery.ts"
import type { DeliveryRetry } from "./DeliveryRetry.ts"

export interface Subscription {
  readonly group: BusGroup
  /** Only these; everything when absent. */
  readonly tags?: ReadonlyArray<DomainEventTag> | undefined
  /** Where a new group begins; one that exists goes on where it is. `now` skips what the log shows at the time of the call. */
  readonly from: "now" | "beginning"
  readonly retry: DeliveryRetry
  /** Streams at once, 1 to 64; 8 by default. */
  readonly concurrency?: number | undefined
  /** For one attempt, which is then interrupted and has failed; 30,000 by default. */
  readonly timeoutMillis?: number | undefined
}

/** Takes one event. It may be handed over again, so the event's id must be remembered with the effect that it has. */
export type Handle = (event: StoredEvent) => Effect.Effect<void, DeliveryError>
