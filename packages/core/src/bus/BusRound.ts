/**
 * One round of the member that holds a group: what is due again, and the next page of the log, handed over stream by stream and
 * then written down at once. A stream with a delivery to be retried takes nothing new before that.
 */
import { Cause, DateTime, Effect, Exit, Formatter, Option, Predicate, Result } from "effect"
import type { EventId } from "../events/EventId.ts"
import type { EventCursor, EventLog } from "../events/EventLog.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { Subscription } from "./Bus.ts"
import type { BusLease, BusLedger } from "./BusLedger.ts"
import { type Delivery, DeliveryError, failed, waiting } from "./Delivery.ts"

/** Events read, and deliveries retried, in one round. */
export const pageSize = 100
/** From this many deliveries to be retried on, a group reads nothing new. */
export const maxBacklog = 10_000

export type Handle = (event: StoredEvent) => Effect.Effect<void, DeliveryError>

export interface RoundEnd {
  readonly cursor: EventCursor | undefined
  /** There was nothing to do. */
  readonly idle: boolean
  /** The lease is another's; nothing was written. */
  readonly lost: boolean
}

interface Handed {
  readonly taken: ReadonlyArray<EventId>
  readonly kept: ReadonlyArray<Delivery>
}

export const makeRound = (
  log: EventLog["Service"],
  ledger: BusLedger["Service"],
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
    if (next.state === "dead") yield* Effect.logWarning("A delivery is dead", next)
    return next
  })

  const again = Effect.fnUntraced(function* (delivery: Delivery) {
    const event = yield* log.find(delivery.eventId)
    const error = Option.isSome(event)
      ? yield* attempt(event.value)
      : new DeliveryError({ failureType: "missing", detail: "the log no longer has the event", retryable: false })
    if (error === undefined) return { taken: [delivery.eventId], kept: [] }
    return { taken: [], kept: [yield* noted(delivery, error)] }
  })

  /** Events of one stream, in order. Those behind one that is to be retried wait. */
  const inOrder = Effect.fnUntraced(function* (events: ReadonlyArray<StoredEvent>, now: DateTime.Utc) {
    const kept: Array<Delivery> = []
    for (const event of events) {
      const delivery = waiting(group, event, now)
      const held = kept.at(-1)?.state === "retry"
      const error = held ? undefined : yield* attempt(event)
      if (held) kept.push(delivery)
      if (error !== undefined) kept.push(yield* noted(delivery, error))
    }
    return { taken: [], kept }
  })

  return Effect.fnUntraced(function* (lease: BusLease, cursor: EventCursor | undefined) {
    const now = yield* DateTime.now
    const { due, size } = yield* ledger.backlog(group, now, pageSize)
    const page = size < maxBacklog ? yield* log.readAll(cursor, pageSize) : { events: [], next: cursor }
    if (due.length === 0 && page.events.length === 0) return { cursor, idle: true, lost: false }

    const lanes = byStream(page.events.filter(({ event }) => tags?.includes(event._tag) ?? true))
    const blocked = size > 0 && lanes.size > 0 ? yield* ledger.blocked(group, [...lanes.keys()]) : new Set<string>()
    const work: ReadonlyArray<Effect.Effect<Handed, Effect.Error<ReturnType<typeof again>>>> = [
      ...due.map(again),
      ...[...lanes].map(([stream, events]) =>
        blocked.has(stream)
          ? Effect.succeed({ taken: [], kept: events.map((event) => waiting(group, event, now)) })
          : inOrder(events, now)
      )
    ]
    const handed = yield* Effect.all(work, { concurrency })
    const progress = {
      cursor: page.next,
      taken: handed.flatMap(({ taken }) => taken),
      kept: handed.flatMap(({ kept }) => kept)
    }
    const written = yield* Effect.uninterruptible(ledger.commit(lease, progress))
    return { cursor: page.next, idle: false, lost: !written }
  })
}

const byStream = (events: ReadonlyArray<StoredEvent>): ReadonlyMap<string, ReadonlyArray<StoredEvent>> => {
  const lanes = new Map<string, Array<StoredEvent>>()
  for (const event of events) {
    const lane = lanes.get(event.stream)
    if (lane === undefined) lanes.set(event.stream, [event])
    else lane.push(event)
  }
  return lanes
}

const failure = (failureType: string, detail: string) =>
  new DeliveryError({ failureType, detail, retryable: true })

/** A defect of the consumer is a failed delivery like any other, and told in the log of the host. */
const failureOf = (event: StoredEvent, cause: Cause.Cause<DeliveryError>) => {
  const error = Cause.findError(cause)
  if (Result.isSuccess(error)) return Effect.succeed(error.success)
  const defect = cause.reasons.find(Cause.isDieReason)?.defect
  if (defect === undefined) return Effect.succeed(failure("interrupted", "the consumer interrupted itself"))
  return Effect.logError(`A consumer broke on event ${event.eventId}`, cause).pipe(
    Effect.as(failure("defect", Predicate.isError(defect) ? defect.message : Formatter.format(defect)))
  )
}
