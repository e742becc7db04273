/**
 * Port: domain events handed to groups of consumers on all instances. Nothing is published here: appending to the event log is
 * publishing. Delivery is at least once, so a consumer must know an event it has taken before, by its `eventId`.
 */
import { Cause, Clock, Context, DateTime, Effect, Latch, Layer, Option, Schedule, type Scope, Stream } from "effect"
import { EventLog } from "../events/EventLog.ts"
import type { EventId } from "../ids/EventId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups, type WakeupTopic } from "../wakeups/Wakeups.ts"
import { makeRound } from "./BusRound.ts"
import { type ClaimedGroup, ConsumerGroupStore } from "./ConsumerGroupStore.ts"
import type { BusGroup, Delivery } from "./Delivery.ts"
import type { Handle, Subscription } from "./Subscription.ts"

export class Bus extends Context.Service<
  Bus,
  {
    /**
     * Makes the caller a member of the group until the scope closes, and returns once the group exists. One member at a time
     * takes events, on whatever instance; when its scope closes another goes on at once, when its instance dies within 11 s.
     *
     * Every event is handed to `handle` at least once, those of one stream in order and one at a time, other streams beside it.
     * What fails (error, defect, timeout) is tried again by `retry`, not before its delay and up to 1 s after; the events of its
     * stream wait behind it until it is taken or dead. What was taken shortly before a crash or the loss of the lease is
     * handed over again, at most 200 events; a scope that closes writes down what was taken. No two members take at the same time, as long as interrupting `handle` stops it
     * within 2 s. All members of a group must pass the same subscription.
     */
    consume(subscription: Subscription, handle: Handle): Effect.Effect<void, StorageError, Scope.Scope>
    /** Deliveries that were given up, last died first; `limit` 1 to 1,000, `total` counts them all. Kept until settled. */
    dead(
      group: BusGroup,
      limit: number,
      offset: number
    ): Effect.Effect<{ readonly deliveries: ReadonlyArray<Delivery>; readonly total: number }, StorageError>
    /**
     * Ends a delivery's death: `redrive` hands it over again as if it were new (after events of its stream that have gone on
     * meanwhile), `discard` forgets it. False when there is no dead delivery of that event.
     */
    finalize(group: BusGroup, eventId: EventId, verdict: "redrive" | "discard"): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/bus/Bus") {
  /** A bus that reads the event log. Needs only a ledger to remember where each group stands. */
  static readonly layer = Layer.effect(
    Bus,
    Effect.gen(function* () {
      const [log, ledger, wakeups] = [yield* EventLog, yield* ConsumerGroupStore, yield* Wakeups]

      const consume = Effect.fn("Bus.consume")(function* (subscription: Subscription, handle: Handle) {
        const { group } = subscription
        const [work, turn] = [Latch.makeUnsafe(false), Latch.makeUnsafe(false)]
        const hear = (topic: WakeupTopic) => {
          const lost = topic === "wakeups/lost" || topic === topicOf(group)
          if (lost || topic.startsWith("stream/")) work.openUnsafe()
          if (lost) turn.openUnsafe()
        }
        const round = makeRound(log, ledger, subscription, handle)

        const rounds = Effect.fnUntraced(function* (claimed: ClaimedGroup) {
          let cursor = claimed.cursor
          while (true) {
            work.closeUnsafe()
            const end = yield* round(claimed, cursor)
            if (end.lost) return
            cursor = end.cursor
            if (end.idle) yield* Effect.raceFirst(work.await, Effect.sleep(sweepMillis))
          }
        })
        /** Returns when the lease is another's, or could not be renewed in time. */
        const renewals = Effect.fnUntraced(function* (claimed: ClaimedGroup, claimedMillis: number) {
          let since = claimedMillis
          while (true) {
            yield* Effect.sleep(renewMillis)
            const asked = yield* Clock.currentTimeMillis
            const held = yield* ledger
              .renew(claimed, leaseMillis)
              .pipe(
                Effect.retry(Schedule.spaced("500 millis")),
                Effect.timeoutOption(Math.max(0, since + leaseMillis - marginMillis - asked))
              )
            if (!Option.getOrElse(held, () => false))
              return yield* Effect.logWarning(`Lost the lease of group ${group}`)
            since = asked
          }
        })
        const giveBack = (claimed: ClaimedGroup) =>
          ledger.release(claimed).pipe(
            Effect.andThen(wakeups.send(topicOf(group))),
            Effect.tapError((error) => Effect.logDebug("A lease was not given back and will lapse", error)),
            Effect.ignore
          )

        const member = Effect.gen(function* () {
          turn.closeUnsafe()
          const asked = yield* Clock.currentTimeMillis
          const claimed = yield* Effect.acquireRelease(ledger.claim(group, leaseMillis), (found) =>
            Option.isSome(found) ? giveBack(found.value) : Effect.void
          )
          if (Option.isNone(claimed)) return yield* Effect.raceFirst(turn.await, Effect.sleep(sweepMillis))
          yield* Effect.raceFirst(rounds(claimed.value), renewals(claimed.value, asked))
        }).pipe(Effect.scoped)

        yield* ledger.register(group, subscription.from)
        yield* wakeups.all.pipe(
          Stream.runForEach((topic) => Effect.sync(() => hear(topic))),
          Effect.forkScoped
        )
        yield* member.pipe(
          // Nothing is lost: what is not written down is handed over again.
          Effect.catchCause((cause) =>
            Cause.hasInterruptsOnly(cause)
              ? Effect.failCause(cause)
              : Effect.andThen(Effect.logError(`Consumer group ${group} failed`, cause), Effect.sleep(sweepMillis))
          ),
          Effect.forever,
          Effect.forkScoped
        )
      })

      return Bus.of({
        consume,
        dead: ledger.dead,
        finalize: Effect.fn("Bus.finalize")(function* (group, eventId, verdict) {
          const settled = yield* ledger.finalize(group, eventId, verdict, yield* DateTime.now)
          if (settled && verdict === "redrive") yield* wakeups.send(topicOf(group))
          return settled
        })
      })
    })
  )

  static readonly layerMemory = Bus.layer.pipe(Layer.provide(ConsumerGroupStore.layerMemory))
}

/** Hints may be lost or come before the event can be read. */
const sweepMillis = 1_000
const leaseMillis = 10_000
const renewMillis = 3_000
/** A holder without an answer lets go this long before its lease lapses. */
const marginMillis = 2_000

/** The group has something to do for whoever holds it, or nobody holds it. */
const topicOf = (group: BusGroup): WakeupTopic => `bus/${group}`
