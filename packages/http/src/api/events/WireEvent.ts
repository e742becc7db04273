/**
 * A stored event as clients see it: flat, with the same fields once more under `payload`, because existing clients disagree.
 * The one mapping of events to the wire; derived from the event schemas, so a new event needs no line here.
 */
import { DomainEvent, type DomainEventTag } from "@fairlead/core/events/DomainEvent"
import { EventMetadata, NewEvent } from "@fairlead/core/events/StoredEvent"
import { EventId } from "@fairlead/core/ids/EventId"
import { Schema, SchemaTransformation, Struct, String as Text } from "effect"
import { wire } from "../Wire.ts"

/** `ExecutionCompleted` is `execution_completed` on the wire. */
export const eventTypeOf = (tag: DomainEventTag): string => Text.pascalToSnake(tag)

const tags: ReadonlyArray<DomainEventTag> = DomainEvent.members.map((member) => member.fields._tag.schema.literal)
const tagByType = new Map(tags.map((tag) => [eventTypeOf(tag), tag]))
/** The tag behind a type on the wire; `undefined` when no event is called so. */
export const tagOf = (eventType: string): DomainEventTag | undefined => tagByType.get(eventType)

/** Names of all events on the wire. */
export const EventType = Schema.Literals([...tagByType.keys()]).annotate({ identifier: "EventType" })

const base = {
  eventId: EventId,
  eventVersion: Schema.Literal("1.0"),
  timestamp: Schema.DateTimeUtcFromString,
  aggregateId: Schema.String,
  correlationId: Schema.String,
  metadata: EventMetadata
}

/** Any of the members below, before its fields are told apart by `eventType`. */
interface EventView extends Readonly<Record<string, unknown>> {
  readonly eventType: string
  readonly metadata: EventMetadata
  readonly payload: Readonly<Record<string, unknown>>
}
interface AnyEvent extends Readonly<Record<string, unknown>> {
  readonly event: Readonly<Record<string, unknown>>
  readonly metadata: EventMetadata
}

const viewOf = (member: { readonly fields: Schema.Struct.Fields }, tag: DomainEventTag) => {
  const payload: Schema.Struct.Fields = Struct.omit(member.fields, ["_tag"])
  const eventType = Schema.Literal(eventTypeOf(tag))
  return Schema.make<Schema.Codec<EventView>>(
    wire(`${tag}Event`, Schema.Struct({ eventType, ...base, payload: Schema.Struct(payload), ...payload })).ast
  )
}
const views = DomainEvent.members.map((member) => viewOf(member, member.fields._tag.schema.literal))

/** Takes what the log holds (stream and version stay inside) and gives the same back when a client decodes. */
export const WireEvent: Schema.Codec<NewEvent, unknown> = Schema.Union(views).pipe(
  Schema.decodeTo(
    Schema.make<Schema.Codec<NewEvent, AnyEvent>>(Schema.toType(NewEvent).ast),
    SchemaTransformation.transform<AnyEvent, EventView>({
      decode: ({ aggregateId, eventId, eventType, metadata, payload, timestamp }) => ({
        eventId,
        at: timestamp,
        aggregateId,
        event: { _tag: tagOf(eventType), ...payload },
        metadata
      }),
      encode: ({ aggregateId, at, event: { _tag, ...payload }, eventId, metadata }) => ({
        eventId,
        eventType: Text.pascalToSnake(`${_tag}`),
        eventVersion: "1.0",
        timestamp: at,
        aggregateId,
        correlationId: metadata.correlationId,
        metadata,
        payload,
        ...payload
      })
    })
  )
)
