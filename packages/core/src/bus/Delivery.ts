/**
 * One event that a consumer group could not take at once: it failed, or waits behind one of its stream that failed. An event
 * that is taken the first time never has a delivery.
 */
import { type DateTime, Schema } from "effect"
import type { StoredEvent } from "../events/StoredEvent.ts"
import { EventId } from "../ids/EventId.ts"
import { type DeliveryRetry, nextDelivery } from "./DeliveryRetry.ts"

/** Names a group of consumers that share the work: each event is taken by one of them. Stored, so keep it. */
export const BusGroup = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9.-]{0,63}$/)).pipe(Schema.brand("BusGroup"))
export type BusGroup = typeof BusGroup.Type

/** A consumer could not take an event. Carries what the delivery keeps of it; never a secret. */
export class DeliveryError extends Schema.TaggedError<DeliveryError>()("DeliveryError", {
  /** Tag of the underlying error. */
  failureType: Schema.String,
  /** The first 1,000 characters are kept. */
  detail: Schema.String,
  /** False when another attempt cannot succeed either: the delivery is dead at once. */
  retryable: Schema.Boolean
}) {}

export const DeliveryFailure = Schema.Struct({ type: Schema.String, message: Schema.String })
export type DeliveryFailure = typeof DeliveryFailure.Type

export class Delivery extends Schema.Class<Delivery>("Delivery")({
  group: BusGroup,
  eventId: EventId,
  stream: Schema.NonEmptyString,
  streamVersion: Schema.Int,
  /** `retry` until it is taken, and then gone; `dead` when it was given up. */
  state: Schema.Literals(["retry", "dead"]),
  /** Failed so far; 0 while it only waits behind another one of its stream. */
  attempts: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  /** Not handed over before. */
  visibleAt: Schema.DateTimeUtcFromString,
  createdAt: Schema.DateTimeUtcFromString,
  updatedAt: Schema.DateTimeUtcFromString,
  /** The last one; absent while there was none. */
  failure: Schema.optionalKey(DeliveryFailure)
}) {}

/** A delivery that was not tried yet. */
export const waiting = (group: BusGroup, event: StoredEvent, at: DateTime.Utc): Delivery =>
  new Delivery({
    group,
    eventId: event.eventId,
    stream: event.stream,
    streamVersion: event.streamVersion,
    state: "retry",
    attempts: 0,
    visibleAt: at,
    createdAt: at,
    updatedAt: at
  })

/** The delivery after one more attempt failed. */
export const failed = (delivery: Delivery, error: DeliveryError, retry: DeliveryRetry, at: DateTime.Utc): Delivery => {
  const attempts = delivery.attempts + 1
  const next = error.retryable ? nextDelivery(retry, attempts, at) : undefined
  return new Delivery({
    ...delivery,
    state: next === undefined ? "dead" : "retry",
    visibleAt: next ?? at,
    attempts,
    updatedAt: at,
    failure: { type: error.failureType.slice(0, maxTypeChars), message: error.detail.slice(0, maxMessageChars) }
  })
}

const maxTypeChars = 100
const maxMessageChars = 1_000
