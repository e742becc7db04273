/** What somebody in the queue, or in front of it, can expect. Estimates: from the queue of the last second and from how long scripts took here. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { UserId } from "../ids/UserId.ts"
import { servedNodes } from "../instances/Instance.ts"
import { InstanceRegistry } from "../instances/InstanceRegistry.ts"
import { NodeSlots } from "../instances/NodeSlots.ts"
import type { RuntimeKind } from "../runtime/Job.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { QueueEntry, QueueState } from "./QueueEntry.ts"
import { aheadOf, isPaused, type QueueLoad, retrySeconds, waitSeconds } from "./QueueLoad.ts"
import { QueueStats } from "./QueueStats.ts"
import { QueueStore } from "./QueueStore.ts"

export interface WaitEstimate {
  /** Entries that start before this one, as far as one can tell. */
  readonly ahead: number
  /** Absent while nothing is known of how long scripts take. */
  readonly waitSeconds: number | undefined
}

/** An entry that waits, as its owner sees it. */
export interface QueuePosition extends WaitEstimate {
  readonly state: QueueState
  /** The one that counts now; the execution keeps the one it was submitted with. */
  readonly priority: number
  /** 1 is next. */
  readonly position: number
}

export class QueueEstimates extends Context.Service<
  QueueEstimates,
  {
    /** Slots for that kind of script on all living instances. */
    capacity(runtime: RuntimeKind): Effect.Effect<number>
    estimate(entry: QueueEntry): Effect.Effect<WaitEstimate, StorageError>
    position(entry: QueueEntry): Effect.Effect<QueuePosition, StorageError>
    /** What a newcomer of that owner would have to expect. */
    newcomer(ownerId: UserId, runtime: RuntimeKind): Effect.Effect<WaitEstimate, StorageError>
    /** Seconds after which a request that found no room may come again, 1 to 300; of that owner, or of anybody. */
    retrySeconds(ownerId?: UserId): Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/queue/QueueEstimates") {
  static readonly layer = Layer.effect(
    QueueEstimates,
    Effect.gen(function* () {
      const [store, slots, stats] = [yield* QueueStore, yield* NodeSlots, yield* QueueStats]
      const registry = yield* InstanceRegistry
      const mean = Effect.map(slots.meanRunMillis, Option.getOrUndefined)

      const nodes = Effect.map(registry.seen, servedNodes)
      const capacityOf = (counts: (runtime: RuntimeKind) => boolean) =>
        Effect.map(nodes, (served) =>
          [...served.values()].reduce((sum, { capacity, runtime }) => sum + (counts(runtime) ? capacity : 0), 0)
        )
      const capacity = (runtime: RuntimeKind) => capacityOf((other) => other === runtime)

      const expect = Effect.fnUntraced(function* (
        load: QueueLoad,
        { ownerId, runtime }: Pick<QueueEntry, "ownerId" | "runtime">,
        ownAhead: number
      ) {
        const ahead = aheadOf(load, runtime, ownerId, ownAhead)
        return { ahead, waitSeconds: waitSeconds(ahead, yield* capacity(runtime), yield* mean) }
      })
      const estimate = Effect.fnUntraced(function* (entry: QueueEntry) {
        return yield* expect(yield* stats.load, entry, yield* store.ownAhead(entry))
      })

      return QueueEstimates.of({
        capacity,
        estimate,
        position: Effect.fnUntraced(function* (entry) {
          return positionOf(entry, yield* estimate(entry), yield* stats.load, yield* DateTime.now)
        }),
        newcomer: Effect.fnUntraced(function* (ownerId, runtime) {
          const load = yield* stats.load
          const own = load.owners.find((owner) => owner.ownerId === ownerId && owner.runtime === runtime)
          const expected = yield* expect(load, { ownerId, runtime }, own?.waiting ?? 0)
          return isPaused(load, runtime) ? { ...expected, waitSeconds: undefined } : expected
        }),
        retrySeconds: Effect.fnUntraced(function* (ownerId) {
          return retrySeconds(yield* stats.load, ownerId, yield* capacityOf(() => true), yield* mean)
        })
      })
    })
  )
}

/** Nobody knows when a pause ends or another execution of the key; a delay is known and comes first. */
export const positionOf = (
  { priority, runAt, runtime, state }: QueueEntry,
  { ahead, waitSeconds: wait }: WaitEstimate,
  load: QueueLoad,
  now: DateTime.Utc
): QueuePosition => {
  const unknown = isPaused(load, runtime) || state === "blocked" || wait === undefined
  const delayMillis = runAt === undefined ? 0 : runAt.epochMilliseconds - now.epochMilliseconds
  const waitSeconds = unknown ? undefined : wait + Math.max(0, Math.ceil(delayMillis / 1000))
  return { state, priority, position: ahead + 1, ahead, waitSeconds }
}
