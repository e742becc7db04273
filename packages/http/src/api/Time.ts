/** A moment in a request. Checked as text, so that a mistake is told under the name that the field has on the wire. */
import { DateTime, Option, Schema } from "effect"

export const Time = Schema.String.check(
  Schema.makeFilter(
    (text) => (Option.isSome(DateTime.make(text)) ? undefined : "Expected a time such as 2027-01-31T12:00:00Z"),
    { toJsonSchema: () => ({ format: "date-time" }) }
  )
).pipe(Schema.decodeTo(Schema.DateTimeUtcFromString))
