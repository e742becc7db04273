/**
 * Assigns waiting executions to the nodes that this instance serves, whenever a slot is free: at once when a hint comes, and once
 * a second in any case. Every instance pulls for itself, so work goes where there is room.
 */
import { Clock, DateTime, Effect, Layer } from "effect"
import { servedNodes } from "../instances/Instance.ts"
import { InstanceRegistry } from "../instances/InstanceRegistry.ts"
import { type LocalNode, NodeSlots } from "../instances/NodeSlots.ts"
import { SagaLauncher } from "../sagas/SagaLauncher.ts"
import { Storage } from "../storage/Storage.ts"
import { WakeupWaiters } from "../wakeups/WakeupWaiters.ts"
import { queueTopic } from "./Enqueuer.ts"
import { isPaused, type QueueLoad, waitingIn } from "./QueueLoad.ts"
import { QueuePolicy } from "./QueuePolicy.ts"
import { QueueStore } from "./QueueStore.ts"

/** Most entries assigned in one transaction. */
const batchSize = 32
/** A full node waits this long before it takes another one; an empty one does not, so the emptiest node comes first. */
const courtesyMillis = 40

export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const [store, storage, slots] = [yield* QueueStore, yield* Storage, yield* NodeSlots]
    const [registry, launcher, policy] = [yield* InstanceRegistry, yield* SagaLauncher, yield* QueuePolicy]
    const next = yield* (yield* WakeupWaiters).on([queueTopic], 1000)

    /** Free slots on other nodes for the same kind of script. */
    const freeElsewhere = Effect.fnUntraced(function* ({ nodeId, runtime }: LocalNode, load: QueueLoad) {
      return [...servedNodes(yield* registry.seen).values()]
        .filter((other) => other.runtime === runtime && other.nodeId !== nodeId)
        .reduce((sum, other) => sum + Math.max(0, other.capacity - (load.nodes.get(other.nodeId) ?? 0)), 0)
    })

    /** How many were assigned. */
    const assignTo = Effect.fnUntraced(function* (here: LocalNode, load: QueueLoad) {
      const { capacity, capabilities, nodeId, runtime } = here
      const running = yield* slots.running(nodeId)
      const notRunning = load.owners.reduce(
        (sum, owner) => sum + (owner.runtime === runtime ? notRunningOf(owner) : 0),
        0
      )
      const waiting = waitingIn(load, runtime)
      const free = capacity - running
      if (free <= 0 || notRunning === 0 || isPaused(load, runtime) || !(yield* slots.isOpen(nodeId))) return 0
      const elsewhere = yield* freeElsewhere(here, load)
      if (elsewhere > 0) yield* Effect.sleep((courtesyMillis * running) / capacity)
      const share = Math.ceil((Math.max(1, waiting) * free) / (free + elsewhere))
      const offer = { nodeId, runtime, capabilities, capacity, limit: Math.min(batchSize, share) }
      const now = yield* DateTime.now
      const assigned = yield* storage.transaction(
        Effect.gen(function* () {
          const entries = yield* store.assign(offer, policy.limits, now)
          for (const { sagaId } of entries) yield* launcher.resume(sagaId, nodeId)
          yield* slots.acquire(
            nodeId,
            entries.map(({ executionId }) => executionId)
          )
          return entries
        })
      )
      return assigned.length
    })

    /** Sends what waited too long to an executor, who finds that its time is up and ends it. */
    const expire = Effect.fnUntraced(function* () {
      const expired = yield* store.expired(yield* DateTime.now, 100)
      for (const { executionId, sagaId } of expired)
        yield* storage.transaction(
          Effect.flatMap(store.withdraw(executionId), (gone) =>
            gone ? launcher.resume(sagaId, undefined) : Effect.void
          )
        )
    })

    let learnedMillis = -Infinity
    /** Whether somebody was in the queue at the last look: only then a slot that is given back matters at once. */
    let awaited = false
    /** Admits until nothing more fits. */
    const round = Effect.gen(function* () {
      const nodes = yield* slots.nodes
      const now = yield* Clock.currentTimeMillis
      if (now - learnedMillis >= 1000) {
        for (const { nodeId } of nodes) yield* slots.reconcile(nodeId, yield* store.assignedTo(nodeId))
        yield* expire()
        learnedMillis = now
      }
      while (true) {
        const load = yield* store.load
        awaited = load.owners.some((owner) => notRunningOf(owner) > 0)
        if (!awaited) return
        let assigned = 0
        for (const here of nodes) assigned += yield* assignTo(here, load)
        if (assigned === 0) return
      }
    }).pipe(Effect.catchTag("StorageError", (error) => Effect.logWarning("Queue dispatch failed; retrying.", error)))

    const slotFreed = Effect.repeat(slots.released, { until: () => awaited })

    yield* round
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.raceFirst(next, slotFreed), round)))
  })
)

const notRunningOf = ({ blocked, delayed, waiting }: QueueLoad["owners"][number]) => blocked + delayed + waiting
