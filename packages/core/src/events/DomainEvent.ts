/** Every fact the log may hold, one family a module. A new event joins its family; golden files keep the old ones readable. */
import { Schema } from "effect"
import { ExecutionEvents } from "./ExecutionEvents.ts"
import { PodEvents } from "./PodEvents.ts"
import { QueueEvents } from "./QueueEvents.ts"
import { ResultEvents } from "./ResultEvents.ts"
import { SagaEvents } from "./SagaEvents.ts"
import { UserEvents } from "./UserEvents.ts"

export const DomainEvent = Schema.Union([
  ...ExecutionEvents,
  ...PodEvents,
  ...QueueEvents,
  ...ResultEvents,
  ...SagaEvents,
  ...UserEvents
])
export type DomainEvent = typeof DomainEvent.Type
export type DomainEventTag = DomainEvent["_tag"]

/** The stored tags, for filters. */
export const DomainEventTag: Schema.Literals<ReadonlyArray<DomainEventTag>> = Schema.Literals(
  DomainEvent.members.map((member) => member.fields._tag.schema.literal)
)
