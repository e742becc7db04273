/**
 * One round of the member that holds a group: what is due again, and the next page of the log, handed over stream by stream and
 * then written down at once. A stream with a delivery to be retried takes nothing new before that.
 */
import { Cause, DateTime, Effect, Exit, Formatter, Option, Predicate, Result } from "effect"
import type { EventCursor, EventLog } from "../events/EventLog.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { EventId } from "../ids/EventId.ts"
import type { BusLease, ConsumerGroupStore } from "./ConsumerGroupStore.ts"
import { type Delivery, DeliveryError, failed, waiting } from "./Delivery.ts"
import type { Handle, Subscription } from "./Subscription.ts"

/** Events read, and deliveries retried, in one round. */
export const pageSize = 100
/** From this many deliveries to be retried on, a group reads nothing new. */
export const maxBacklog = 10_000

export interface RoundEnd {
  readonly cursor: EventCursor | undefined
  /** There was nothing to do. */
  readonly idle: boolean
  /** The lease is another's; nothing was written. */
  readonly lost: boolean
}

export const makeRound = (
  log: EventLog["Service"],
  ledger: ConsumerGroupStore["Service"],
  { concurrency = 8, group, retry, tags, timeoutMillis = 30_000 }: Subscription,
  handle: Handle
) => {
  const attempt = (event: StoredEvent): Effect.Effect<DeliveryError | undefined> =>
    Effect.suspend(() => handle(event)).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMillis,
        orElse: () => Effect.fail(failure("timeout", `not taken within ${timeoutMillis} ms`))
      }),
      Effect.exit,
      Effect.flatMap((exit) => (Exit.isSuccess(exit) ? Effect.undefined : failureOf(event, exit.cause)))
    )

  const noted = Effect.fnUntraced(function* (delivery: Delivery, error: DeliveryError) {
    const next = failed(delivery, error, retry, yield* DateTime.now)
    if (next.state === "dead") yield* Effect.logWarning("Delivery moved to dead letters", next)
    return next
  })

  return Effect.fnUntraced(function* (lease: BusLease, cursor: EventCursor | undefined) {
    const now = yield* DateTime.now
    const { due, size } = yield* ledger.backlog(group, now, pageSize)
    const page = size < maxBacklog ? yield* log.readAll(cursor, pageSize) : { events: [], next: cursor }
    if (due.length === 0 && page.events.length === 0) return { cursor, idle: true, lost: false }

    const retried = new Set(due.map(({ eventId }) => eventId))
    const wanted = page.events.filter(
      ({ event, eventId }) => (tags?.includes(event._tag) ?? true) && !retried.has(eventId)
    )
    const nodes = byStream(wanted)
    const blocked = size > 0 && nodes.size > 0 ? yield* ledger.blocked(group, [...nodes.keys()]) : new Set<string>()
    const settled = new Set<EventId>()
    const [taken, kept]: [Array<EventId>, Array<Delivery>] = [[], []]

    const again = Effect.fnUntraced(function* (delivery: Delivery) {
      const event = yield* log.find(delivery.eventId)
      const error = Option.isSome(event) ? yield* attempt(event.value) : missing
      if (error === undefined) taken.push(delivery.eventId)
      else kept.push(yield* noted(delivery, error))
    })
    /** Events of one stream, up to one that is to be retried. */
    const inOrder = Effect.fnUntraced(function* (events: ReadonlyArray<StoredEvent>) {
      for (const event of events) {
        const error = yield* attempt(event)
        const delivery = error && (yield* noted(waiting(group, event, now), error))
        settled.add(event.eventId)
        if (delivery !== undefined) kept.push(delivery)
        if (delivery?.state === "retry") return
      }
    })
    /** What was not reached waits: behind a failure, or for the next member when this one is cut off. */
    const write = Effect.suspend(() => {
      const left = wanted.filter(({ eventId }) => !settled.has(eventId)).map((event) => waiting(group, event, now))
      return ledger.commit(lease, { cursor: page.next, taken, kept: [...kept, ...left] })
    })

    const open = [...nodes].filter(([stream]) => !blocked.has(stream)).map(([, events]) => inOrder(events))
    const written = yield* Effect.uninterruptibleMask((restore) =>
      restore(Effect.all([...due.map(again), ...open], { concurrency, discard: true })).pipe(
        Effect.onInterrupt(() => Effect.ignore(write)),
        Effect.andThen(write)
      )
    )
    return { cursor: page.next, idle: false, lost: !written }
  })
}

const byStream = (events: ReadonlyArray<StoredEvent>): ReadonlyMap<string, ReadonlyArray<StoredEvent>> => {
  const nodes = new Map<string, Array<StoredEvent>>()
  for (const event of events) {
    const nodeId = nodes.get(event.stream)
    if (nodeId === undefined) nodes.set(event.stream, [event])
    else nodeId.push(event)
  }
  return nodes
}

const missing = new DeliveryError({
  failureType: "missing",
  detail: "the log no longer has the event",
  retryable: false
})

const failure = (failureType: string, detail: string) => new DeliveryError({ failureType, detail, retryable: true })

/** A defect of the consumer is a failed delivery like any other, and told in the log of the instance. */
const failureOf = (event: StoredEvent, cause: Cause.Cause<DeliveryError>) => {
  const error = Cause.findError(cause)
  if (Result.isSuccess(error)) return Effect.succeed(error.success)
  const defect = cause.reasons.find(Cause.isDieReason)?.defect
  if (defect === undefined) return Effect.succeed(failure("interrupted", "the consumer interrupted itself"))
  return Effect.logError(`A consumer broke on event ${event.eventId}`, cause).pipe(
    Effect.as(failure("defect", Predicate.isError(defect) ? defect.message : Formatter.format(defect)))
  )
}
