/** Identity of one stored event. A leaf, so any area may refer to it. */
import { Schema } from "effect"

export const EventId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("EventId"))
export type EventId = typeof EventId.Type
