/** A domain event as the log holds it: what happened, with when, to what, and on whose behalf. */
import { Schema } from "effect"
import { EventId } from "../ids/EventId.ts"
import { DomainEvent } from "./DomainEvent.ts"

/** Who and what caused an event. Copied from the request or the saga that made it. */
export const EventMetadata = Schema.Struct({
  serviceName: Schema.String,
  serviceVersion: Schema.String,
  /** Joins everything that one request set off. */
  correlationId: Schema.String,
  userId: Schema.optionalKey(Schema.String),
  ipAddress: Schema.optionalKey(Schema.String),
  userAgent: Schema.optionalKey(Schema.String),
  environment: Schema.Literals(["development", "staging", "production", "test"])
})
export type EventMetadata = typeof EventMetadata.Type

/** What a writer hands to the log; the log adds stream position and cursor. */
export const NewEvent = Schema.Struct({
  eventId: EventId,
  at: Schema.DateTimeUtcFromString,
  /** The thing the event is about, for example an execution id. */
  aggregateId: Schema.String,
  event: DomainEvent,
  metadata: EventMetadata
})
export type NewEvent = typeof NewEvent.Type

export const StoredEvent = Schema.Struct({
  ...NewEvent.fields,
  stream: Schema.NonEmptyString,
  /** 1 for the first event of its stream, without gaps. */
  streamVersion: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
})
export type StoredEvent = typeof StoredEvent.Type
