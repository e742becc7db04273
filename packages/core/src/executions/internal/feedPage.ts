/** Puts what is stored of an execution into the order in which a follower is told of it. */
import { Effect } from "effect"
import type { DomainEventTag } from "../../events/DomainEvent.ts"
import { ExecutionEvents } from "../../events/ExecutionEvents.ts"
import { PodEvents } from "../../events/PodEvents.ts"
import { ResultEvents } from "../../events/ResultEvents.ts"
import type { StoredEvent } from "../../events/StoredEvent.ts"
import type { OutputName } from "../../runtime/Job.ts"
import type { Execution } from "../Execution.ts"
import { isTerminal } from "../ExecutionStatus.ts"
import type { FeedItem, FeedPage, FeedPosition } from "../FeedPage.ts"

/** Most bytes in one item. A page with so many ends there. */
export const chunkBytes = 64 * 1024
/** Most events in a page. */
export const pageEvents = 500
/** The events that a follower is told. */
export const tags: ReadonlyArray<DomainEventTag> = [...ExecutionEvents, ...PodEvents, ...ResultEvents].map(
  (member) => member.fields._tag.schema.literal
)
/** From the first of these on, no output follows. */
const endTags: ReadonlySet<DomainEventTag> = new Set([
  "ExecutionCompleted",
  "ExecutionFailed",
  "ExecutionTimeout",
  "ExecutionCancelled",
  "ResultStored",
  "ResultFailed"
])

/** At most `chunkBytes` of what an attempt has written, from the offset on. */
export type ReadOutput<E> = (attempt: number, name: OutputName, offset: number) => Effect.Effect<Uint8Array, E>

/**
 * The page behind `from`. `events` are those behind its version, at most `pageEvents`, and read after `execution`. Each end of an
 * attempt comes behind all that the attempt wrote.
 */
export const pageOf = Effect.fnUntraced(function* <E>(
  from: FeedPosition,
  execution: Pick<Execution, "attempt" | "status">,
  events: ReadonlyArray<StoredEvent>,
  read: ReadOutput<E>
) {
  const items: Array<FeedItem> = []
  let position = from
  let room = chunkBytes

  const tell = (event: StoredEvent) => {
    position = { ...position, version: event.streamVersion }
    items.push({ _tag: "Event", event, position })
  }
  const tellOutput = Effect.fnUntraced(function* (attempt: number) {
    if (attempt !== position.attempt) position = { ...position, attempt, stdout: 0, stderr: 0 }
    for (const output of outputs) {
      const offset = position[output]
      const bytes = yield* read(attempt, output, offset)
      if (bytes.length === 0) continue
      room -= bytes.length
      position = { ...position, [output]: offset + bytes.length }
      items.push({ _tag: "Output", output, attempt, offset, bytes, position })
    }
  })
  const page = (more: FeedPage["more"]): FeedPage => ({ items, position, more })

  const end = events.findIndex(({ event }) => endTags.has(event._tag))
  for (const stored of end === -1 ? events : events.slice(0, end)) {
    if (stored.event._tag === "ExecutionAttemptFailed") yield* tellOutput(stored.event.attempt)
    // There may be more of it.
    if (room <= 0) return page("now")
    tell(stored)
  }
  // Reading on in an attempt that later ones followed would skip what comes behind it in the log.
  if (events.length === pageEvents) return page("now")
  yield* tellOutput(execution.attempt)
  if (room <= 0) return page("now")
  if (end !== -1) for (const stored of events.slice(end)) tell(stored)
  return page(isTerminal(execution.status) ? "never" : "later")
})

const outputs: ReadonlyArray<OutputName> = ["stdout", "stderr"]
