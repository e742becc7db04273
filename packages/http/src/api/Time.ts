/**
 * A moment in a request: a time as RFC 3339 writes it, or a day, which begins at midnight UTC. Checked as text, so that a mistake is told under
 * the name that the field has on the wire; and by its form, because the reader behind it takes `0.5` for a time too.
 */
import { DateTime, Option, Schema } from "effect"

const form = /^(\d{4}-\d\d-\d\d)(?:[Tt ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?$/

/** The reader would take the 30th of February for the 2nd of March. */
const isInCalendar = (day: string) =>
  Option.exists(DateTime.make(day), (midnight) => DateTime.formatIsoDateUtc(midnight) === day)

const isTime = (text: string) => isInCalendar(form.exec(text)?.[1] ?? "") && Option.isSome(DateTime.make(text))

export const Time = Schema.String.check(
  Schema.makeFilter(
    (text) => (isTime(text) ? undefined : "Expected a time of the calendar such as 2027-01-31T12:00:00Z"),
    { toJsonSchema: () => ({ format: "date-time" }) }
  )
).pipe(Schema.decodeTo(Schema.DateTimeUtcFromString))
