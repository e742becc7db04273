/**
 * A moment in a request: a time as RFC 3339 writes it, or a day, which begins at midnight UTC. Checked as text, so that a mistake is told under
 * the name that the field has on the wire; and by its form, because the reader behind it takes `0.5` for a time too.
 */
import { DateTime, Option, Schema } from "effect"

const form = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?$/

export const Time = Schema.String.check(
  Schema.makeFilter(
    (text) =>
      form.test(text) && Option.isSome(DateTime.make(text))
        ? undefined
        : "Expected a time such as 2027-01-31T12:00:00Z",
    { toJsonSchema: () => ({ format: "date-time" }) }
  )
).pipe(Schema.decodeTo(Schema.DateTimeUtcFromString))
