/** How an execution gets into the line, with the saga that will carry it: past everybody when a slot is free here and nobody waits. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { servedPlaces } from "../hosts/Host.ts"
import { HostRegistry } from "../hosts/HostRegistry.ts"
import { PlaceSlots } from "../hosts/PlaceSlots.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { Ids } from "../ids/Ids.ts"
import { SagaId } from "../ids/SagaId.ts"
import { executionSubject } from "../ids/Subject.ts"
import type { UserId } from "../ids/UserId.ts"
import type { RuntimeKind } from "../runtime/Job.ts"
import type { Place } from "../runtime/Place.ts"
import { claimedBy, type Saga } from "../sagas/Saga.ts"
import { SagaLauncher } from "../sagas/SagaLauncher.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups, type WakeupTopic } from "../wakeups/Wakeups.ts"
import { firstState, QueueEntry, rankOf } from "./QueueEntry.ts"
import { type Outlook, QueueForecast } from "./QueueForecast.ts"
import { QueueGauge } from "./QueueGauge.ts"
import { isPaused, type QueueLoad, waitingIn } from "./QueueLoad.ts"
import { withState } from "./QueueOrder.ts"
import { QueuePolicy } from "./QueuePolicy.ts"
import { QueueStore } from "./QueueStore.ts"

export interface EntranceOrder {
  readonly executionId: ExecutionId
  readonly ownerId: UserId
  readonly correlationId: string
  readonly definition: { readonly name: string; readonly version: number }
  readonly runtime: RuntimeKind
  readonly demand: string
  readonly priority: number
  readonly runAt?: DateTime.Utc | undefined
  readonly expiresAt: DateTime.Utc
  readonly concurrencyKey?: string | undefined
}

/** `ahead` and `waitSeconds` tell of the line as it was a moment ago. */
export interface Entered extends Outlook {
  /** Not stored yet. */
  readonly saga: Saga
}

/** Of an execution that does not wait. */
export interface StartingHere {
  /** Claimed by this host. */
  readonly saga: Saga
  readonly entry: QueueEntry
}

/** Hint to every host that somebody waits. */
export const queueTopic: WakeupTopic = "queue/waiting"

/** How much fuller than the emptiest other place this one may be, and still take a script without asking. */
const imbalance = 0.1

export class QueueEntrance extends Context.Service<
  QueueEntrance,
  {
    /** See `QueueStore.claimKey`. */
    claimKey(ownerId: UserId, key: string): Effect.Effect<ReadonlyArray<QueueEntry>, StorageError>
    /**
     * Takes a slot of this host, if one is free and nothing that this host knows of speaks against it, for an execution that is then
     * stored with `AdmissionStore.createStarted`. Neither entry nor saga are stored yet; when they will not be, give the slot back with
     * `PlaceSlots.free`.
     */
    startHere(order: EntranceOrder): Effect.Effect<Option.Option<StartingHere>, StorageError>
    /** Goes to the end of the line. Joins the caller's transaction, which stores the saga with `AdmissionStore.createQueued` and starts it. */
    enter(order: EntranceOrder): Effect.Effect<Entered, StorageError>
    /** Puts an admitted execution back, for another attempt not before `runAt`, with a new saga; joins the caller's transaction. */
    reenter(
      order: Pick<EntranceOrder, "executionId" | "ownerId" | "correlationId" | "definition">,
      runAt: DateTime.Utc,
      expiresAt: DateTime.Utc
    ): Effect.Effect<Saga, StorageError>
    /** Puts an admitted execution back as it was, to be let in elsewhere. `false` if it is not in the line or not admitted. */
    putBack(executionId: ExecutionId): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/queue/QueueEntrance") {
  static readonly layer = Layer.effect(
    QueueEntrance,
    Effect.gen(function* () {
      const [store, slots, gauge] = [yield* QueueStore, yield* PlaceSlots, yield* QueueGauge]
      const [registry, launcher, forecast] = [yield* HostRegistry, yield* SagaLauncher, yield* QueueForecast]
      const [ids, wakeups, policy] = [yield* Ids, yield* Wakeups, yield* QueuePolicy]
      /** Limits that only the store can count stand against taking a slot unasked. */
      const isLimited = (runtime: RuntimeKind) =>
        policy.limits.perUser !== undefined || policy.limits.perRuntime?.[runtime] !== undefined

      const emptiestElsewhere = Effect.fnUntraced(function* (runtime: RuntimeKind, here: Place, load: QueueLoad) {
        const others = [...servedPlaces(yield* registry.seen).values()].filter(
          (served) => served.runtime === runtime && served.place !== here
        )
        return Math.min(1, ...others.map(({ capacity, place }) => (load.places.get(place) ?? 0) / capacity))
      })

      /** The place of this host that takes the execution at once, its slot reserved. */
      const reserved = Effect.fnUntraced(function* (order: EntranceOrder) {
        const { concurrencyKey, demand, executionId, runAt, runtime } = order
        if (isLimited(runtime) || concurrencyKey !== undefined || runAt !== undefined) return undefined
        const here = (yield* slots.places).find(({ demands }) => demands.includes(demand))
        if (here === undefined || (yield* registry.shares(here.place))) return undefined
        const load = yield* gauge.load
        if (isPaused(load, runtime) || waitingIn(load, runtime) > 0) return undefined
        const fullness = (yield* slots.running(here.place)) / here.capacity
        if (fullness > (yield* emptiestElsewhere(runtime, here.place, load)) + imbalance) return undefined
        return (yield* slots.reserve(here.place, executionId)) ? here.place : undefined
      })

      const entryOf = Effect.fnUntraced(function* (order: EntranceOrder, now: DateTime.Utc) {
        const { concurrencyKey, demand, executionId, expiresAt, ownerId, priority, runAt, runtime } = order
        return new QueueEntry({
          executionId,
          ownerId,
          runtime,
          demand,
          priority,
          sagaId: SagaId.make(yield* ids.uuid),
          state: firstState(order, now),
          rankAt: rankOf(runAt ?? now, priority, policy.ageingMillis),
          queuedAt: now,
          expiresAt,
          ...(runAt === undefined ? {} : { runAt }),
          ...(concurrencyKey === undefined ? {} : { concurrencyKey })
        })
      })
      const sagaOf = ({ correlationId, definition }: EntranceOrder, entry: QueueEntry) => {
        const { executionId, ownerId, place, sagaId } = entry
        const parked = place === undefined
        return launcher.make({
          subject: executionSubject(executionId),
          ownerId,
          correlationId,
          definition,
          sagaId,
          lane: place,
          parked
        })
      }

      const startHere: QueueEntrance["Service"]["startHere"] = Effect.fnUntraced(function* (order) {
        const place = yield* reserved(order)
        if (place === undefined) return Option.none()
        const now = yield* DateTime.now
        const entry = new QueueEntry({ ...(yield* entryOf(order, now)), state: "admitted", place })
        return Option.some({ entry, saga: claimedBy(yield* sagaOf(order, entry), registry.name, now) })
      })

      const enter = Effect.fnUntraced(function* (order: EntranceOrder) {
        const entry = yield* entryOf(order, yield* DateTime.now)
        yield* store.enqueue(entry)
        yield* wakeups.send(queueTopic)
        return { saga: yield* sagaOf(order, entry), ...(yield* forecast.outlook(entry)) }
      })

      const reenter: QueueEntrance["Service"]["reenter"] = Effect.fnUntraced(function* (order, runAt, expiresAt) {
        const found = yield* store.find(order.executionId)
        if (Option.isNone(found)) return yield* Effect.die(`execution ${order.executionId} is not in the line`)
        const now = yield* DateTime.now
        const { place: _, ...entry } = found.value
        const sagaId = SagaId.make(yield* ids.uuid)
        yield* store.requeue(
          new QueueEntry({
            ...entry,
            sagaId,
            runAt,
            state: firstState({ ...entry, runAt }, now),
            rankAt: rankOf(runAt, entry.priority, policy.ageingMillis),
            expiresAt
          })
        )
        yield* wakeups.send(queueTopic)
        const { correlationId, definition, executionId, ownerId } = order
        const subject = executionSubject(executionId)
        const again = { sagaId, lane: undefined, parked: true, after: entry.sagaId }
        return yield* launcher.launch({ subject, ownerId, correlationId, definition, ...again })
      })

      const putBack = Effect.fnUntraced(function* (executionId: ExecutionId) {
        const found = yield* store.find(executionId)
        if (Option.isNone(found)) return false
        yield* wakeups.send(queueTopic)
        return yield* store.requeue(withState(found.value, "waiting"))
      })

      return QueueEntrance.of({ claimKey: store.claimKey, startHere, enter, reenter, putBack })
    })
  )
}
