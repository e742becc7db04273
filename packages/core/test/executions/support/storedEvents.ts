/** Events as the log holds them, in the order given; the golden files say what stands in them. */
import { readFileSync } from "node:fs"
import type { DomainEventTag } from "@fairlead/core/events/DomainEvent"
import { StoredEvent } from "@fairlead/core/events/StoredEvent"
import { Schema } from "effect"

const Golden = Schema.fromJsonString(Schema.NonEmptyArray(Schema.toCodecJson(StoredEvent)))

/** Versions count from 1, and failed attempts too. */
export const storedEvents = (tags: ReadonlyArray<DomainEventTag>): ReadonlyArray<StoredEvent> => {
  let failed = 0
  return tags.map((tag, i) => {
    const [golden] = Schema.decodeUnknownSync(Golden)(
      readFileSync(new URL(`../../golden/${tag}.json`, import.meta.url), "utf8")
    )
    const { event } = golden
    const numbered = event._tag === "ExecutionAttemptFailed" ? { ...event, attempt: ++failed } : event
    return { ...golden, event: numbered, streamVersion: i + 1 }
  })
}
