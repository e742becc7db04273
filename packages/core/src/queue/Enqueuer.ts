/** How an execution gets into the queue, with the saga that will carry it: past everybody when a slot is free here and nobody waits. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { Ids } from "../ids/Ids.ts"
import { SagaId } from "../ids/SagaId.ts"
import { executionSubject } from "../ids/Subject.ts"
import type { UserId } from "../ids/UserId.ts"
import { servedNodes } from "../instances/Instance.ts"
import { InstanceRegistry } from "../instances/InstanceRegistry.ts"
import { NodeSlots } from "../instances/NodeSlots.ts"
import type { RuntimeKind } from "../runtime/Job.ts"
import type { NodeId } from "../runtime/NodeId.ts"
import { claimedBy, type Saga } from "../sagas/Saga.ts"
import { SagaLauncher } from "../sagas/SagaLauncher.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups, type WakeupTopic } from "../wakeups/Wakeups.ts"
import { firstState, QueueEntry, rankOf } from "./QueueEntry.ts"
import { QueueEstimates, type WaitEstimate } from "./QueueEstimates.ts"
import { isPaused, type QueueLoad, waitingIn } from "./QueueLoad.ts"
import { withState } from "./QueueOrder.ts"
import { QueuePolicy } from "./QueuePolicy.ts"
import { QueueStats } from "./QueueStats.ts"
import { QueueStore } from "./QueueStore.ts"

export interface EnqueueRequest {
  readonly executionId: ExecutionId
  readonly ownerId: UserId
  readonly correlationId: string
  readonly definition: { readonly name: string; readonly version: number }
  readonly runtime: RuntimeKind
  readonly requirement: string
  readonly priority: number
  readonly runAt?: DateTime.Utc | undefined
  readonly expiresAt: DateTime.Utc
  readonly concurrencyKey?: string | undefined
}

/** `ahead` and `waitSeconds` tell of the queue as it was a moment ago. */
export interface Enqueued extends WaitEstimate {
  /** Not stored yet. */
  readonly saga: Saga
}

/** Of an execution that does not wait. */
export interface StartingHere {
  /** Claimed by this instance. */
  readonly saga: Saga
  readonly entry: QueueEntry
}

/** Hint to every instance that somebody waits. */
export const queueTopic: WakeupTopic = "queue/waiting"

/** How much fuller than the emptiest other node this one may be, and still take a script without asking. */
const imbalance = 0.1

export class Enqueuer extends Context.Service<
  Enqueuer,
  {
    /** See `QueueStore.claimKey`. */
    claimKey(ownerId: UserId, key: string): Effect.Effect<ReadonlyArray<QueueEntry>, StorageError>
    /**
     * Takes a slot of this instance, if one is free and nothing that this instance knows of speaks against it, for an execution that is then
     * stored with `AdmissionStore.createStarted`. Neither entry nor saga are stored yet; when they will not be, give the slot back with
     * `NodeSlots.release`.
     */
    startHere(order: EnqueueRequest): Effect.Effect<Option.Option<StartingHere>, StorageError>
    /** Goes to the end of the queue. Joins the caller's transaction, which stores the saga with `AdmissionStore.createQueued` and starts it. */
    enqueue(order: EnqueueRequest): Effect.Effect<Enqueued, StorageError>
    /** Puts an assigned execution back, for another attempt not before `runAt`, with a new saga; joins the caller's transaction. */
    requeue(
      order: Pick<EnqueueRequest, "executionId" | "ownerId" | "correlationId" | "definition">,
      runAt: DateTime.Utc,
      expiresAt: DateTime.Utc
    ): Effect.Effect<Saga, StorageError>
    /** Puts an assigned execution back as it was, to be assigned elsewhere. `false` if it is not in the queue or not assigned. */
    unassign(executionId: ExecutionId): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/queue/Enqueuer") {
  static readonly layer = Layer.effect(
    Enqueuer,
    Effect.gen(function* () {
      const [store, slots, stats] = [yield* QueueStore, yield* NodeSlots, yield* QueueStats]
      const [registry, launcher, estimates] = [yield* InstanceRegistry, yield* SagaLauncher, yield* QueueEstimates]
      const [ids, wakeups, policy] = [yield* Ids, yield* Wakeups, yield* QueuePolicy]
      /** Limits that only the store can count stand against taking a slot unasked. */
      const isLimited = (runtime: RuntimeKind) =>
        policy.limits.perUser !== undefined || policy.limits.perRuntime?.[runtime] !== undefined

      const emptiestElsewhere = Effect.fnUntraced(function* (runtime: RuntimeKind, here: NodeId, load: QueueLoad) {
        const others = [...servedNodes(yield* registry.seen).values()].filter(
          (served) => served.runtime === runtime && served.nodeId !== here
        )
        return Math.min(1, ...others.map(({ capacity, nodeId }) => (load.nodes.get(nodeId) ?? 0) / capacity))
      })

      /** The node of this instance that takes the execution at once, its slot reserved. */
      const reserved = Effect.fnUntraced(function* (order: EnqueueRequest) {
        const { concurrencyKey, requirement, executionId, runAt, runtime } = order
        if (isLimited(runtime) || concurrencyKey !== undefined || runAt !== undefined) return undefined
        const here = (yield* slots.nodes).find(({ capabilities }) => capabilities.includes(requirement))
        if (here === undefined || (yield* registry.shares(here.nodeId))) return undefined
        const load = yield* stats.load
        if (isPaused(load, runtime) || waitingIn(load, runtime) > 0) return undefined
        const fullness = (yield* slots.running(here.nodeId)) / here.capacity
        if (fullness > (yield* emptiestElsewhere(runtime, here.nodeId, load)) + imbalance) return undefined
        return (yield* slots.reserve(here.nodeId, executionId)) ? here.nodeId : undefined
      })

      const entryOf = Effect.fnUntraced(function* (order: EnqueueRequest, now: DateTime.Utc) {
        const { concurrencyKey, requirement, executionId, expiresAt, ownerId, priority, runAt, runtime } = order
        return new QueueEntry({
          executionId,
          ownerId,
          runtime,
          requirement,
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
      const sagaOf = ({ correlationId, definition }: EnqueueRequest, entry: QueueEntry) => {
        const { executionId, ownerId, nodeId, sagaId } = entry
        const suspended = nodeId === undefined
        return launcher.make({
          subject: executionSubject(executionId),
          ownerId,
          correlationId,
          definition,
          sagaId,
          nodeId: nodeId,
          suspended
        })
      }

      const startHere: Enqueuer["Service"]["startHere"] = Effect.fnUntraced(function* (order) {
        const nodeId = yield* reserved(order)
        if (nodeId === undefined) return Option.none()
        const now = yield* DateTime.now
        const entry = new QueueEntry({ ...(yield* entryOf(order, now)), state: "assigned", nodeId })
        return Option.some({ entry, saga: claimedBy(yield* sagaOf(order, entry), registry.name, now) })
      })

      const enqueue = Effect.fnUntraced(function* (order: EnqueueRequest) {
        const entry = yield* entryOf(order, yield* DateTime.now)
        yield* store.enqueue(entry)
        yield* wakeups.send(queueTopic)
        return { saga: yield* sagaOf(order, entry), ...(yield* estimates.estimate(entry)) }
      })

      const requeue: Enqueuer["Service"]["requeue"] = Effect.fnUntraced(function* (order, runAt, expiresAt) {
        const found = yield* store.find(order.executionId)
        if (Option.isNone(found)) return yield* Effect.die(`execution ${order.executionId} is not in the queue`)
        const now = yield* DateTime.now
        const { nodeId: _, ...entry } = found.value
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
        const again = { sagaId, nodeId: undefined, suspended: true, after: entry.sagaId }
        return yield* launcher.launch({ subject, ownerId, correlationId, definition, ...again })
      })

      const unassign = Effect.fnUntraced(function* (executionId: ExecutionId) {
        const found = yield* store.find(executionId)
        if (Option.isNone(found)) return false
        yield* wakeups.send(queueTopic)
        return yield* store.requeue(withState(found.value, "waiting"))
      })

      return Enqueuer.of({ claimKey: store.claimKey, startHere, enqueue, requeue, unassign })
    })
  )
}
