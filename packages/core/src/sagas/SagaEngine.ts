/**
 * Port: where and when sagas are executed. The engine delivers queue items to executors, at least once; whether an item still
 * counts is decided by `SagaStore.claim`, so delivering one twice, late or to a second instance does no harm.
 */

import { Cause, Clock, Context, Effect, Latch, Layer, type Scope, Semaphore } from "effect"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { dispatchedItems, engineItems } from "./memoryTables.ts"
import type { SagaFenced } from "./SagaDefinition.ts"
import { type ClaimedSaga, itemName, itemOf, type QueueItem, type SagaDispatch, type SagaNode } from "./SagaItem.ts"

/** What an instance executes. */
export interface NodeExecutors {
  readonly nodeId: SagaNode
  /** Sagas of the node in hand at once. */
  readonly maxExecutors: number
}

export class SagaEngine extends Context.Service<
  SagaEngine,
  {
    /**
     * Queues the item inside the caller's transaction: it is delivered once that commits, and never if it rolls back.
     * `delayMillis` (default 0) may be rounded up to whole seconds. Dispatching the same number twice in a node delivers once.
     */
    dispatch(item: SagaDispatch, nodeId?: SagaNode, delayMillis?: number): Effect.Effect<void, StorageError>
    /**
     * Delivers to this instance's executors, at once, the item of a saga that `AdmissionStore.createStarted` has queued in its hands. Call it when that is
     * committed; until then, and when the instance dies, others are kept from it for some seconds. The caller bounds how many there are.
     */
    deliverLocal(begun: ClaimedSaga): Effect.Effect<void>
    /**
     * Delivers the items of the nodes to `execute`, at most `maxExecutors` of each at a time, until the scope closes; items in hand
     * are then handed back. An item whose executor fails, or whose instance dies, is delivered again. Call once an instance.
     */
    run(
      execute: (item: SagaDispatch) => Effect.Effect<void, SagaFenced | StorageError>,
      nodes: ReadonlyArray<NodeExecutors>
    ): Effect.Effect<void, never, Scope.Scope>
    /** Passes when an item put in now would be delivered: the queue answers and its clock can be trusted. */
    readonly check: Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/sagas/SagaEngine") {
  static readonly layerMemory = Layer.effect(
    SagaEngine,
    Effect.gen(function* () {
      const database = yield* MemoryDatabase
      const items = engineItems(database)
      const handed = new Map<SagaNode, (item: SagaDispatch) => Effect.Effect<void>>()
      const seen = dispatchedItems(database)
      /** One for each node that is executed here. */
      const wakes = new Set<Latch.Latch>()
      const wakeAll = Effect.suspend(() => Effect.forEach([...wakes], Latch.open, { discard: true }))

      /** Takes the first due item of the node out of the table; else how many millis to wait for one. */
      const take = (nodeId: SagaNode) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          items.modify((waiting): readonly [QueueItem | number, ReadonlyArray<QueueItem>] => {
            const due = waiting.find((item) => item.nodeId === nodeId && item.dueMillis <= now)
            if (due !== undefined) return [due, waiting.filter((item) => item !== due)]
            const later = waiting.filter((item) => item.nodeId === nodeId).map((item) => item.dueMillis - now)
            return [Math.min(1000, ...later), waiting]
          })
        )
      /** Takes an item out of the table that is still held for this instance. */
      const takeHeld = (item: SagaDispatch, nodeId: SagaNode) =>
        items.modify((waiting): readonly [QueueItem | undefined, ReadonlyArray<QueueItem>] => {
          const found = waiting.find((each) => itemName(each, each.nodeId) === itemName(item, nodeId))
          return [found, waiting.filter((each) => each !== found)]
        })
      /** Waits for an item. Only the waiting can be interrupted, so that no item is lost between the table and an executor. */
      const next = (
        nodeId: SagaNode,
        wake: Latch.Latch,
        restore: typeof Effect.interruptible
      ): Effect.Effect<QueueItem> =>
        Effect.gen(function* () {
          while (true) {
            yield* Latch.close(wake)
            const found = yield* take(nodeId)
            if (typeof found !== "number") return found
            yield* restore(Effect.race(Latch.await(wake), Effect.sleep(found)))
          }
        })
      /** At once if the executor was interrupted, after a pause if it failed: it may fail again. */
      const unassign = Effect.fnUntraced(function* (item: QueueItem, interrupted: boolean) {
        const now = yield* Clock.currentTimeMillis
        const { begun: _, ...again } = item
        const dueMillis = interrupted ? Math.min(now, item.dueMillis) : now + retryMillis
        yield* items.modify((waiting) => [undefined, [...waiting, { ...again, dueMillis }]])
        yield* wakeAll
      })

      return SagaEngine.of({
        dispatch: Effect.fnUntraced(function* (item, nodeId, delayMillis = 0) {
          const dueMillis = (yield* Clock.currentTimeMillis) + delayMillis
          const name = itemName(item, nodeId)
          const known = yield* seen.modify((names) => [names.has(name), new Set(names).add(name)])
          if (known) return
          yield* items.modify((waiting) => [undefined, [...waiting, { ...item, nodeId, dueMillis }]])
          yield* database.afterCommit(wakeAll)
        }),
        deliverLocal: (begun) => handed.get(begun.saga.nodeId)?.(itemOf(begun)) ?? Effect.void,
        run: Effect.fnUntraced(function* (execute, nodes) {
          const scope = yield* Effect.scope
          const executed = (item: QueueItem, restore: typeof Effect.interruptible) =>
            Effect.onError(restore(execute(item)), (cause) => unassign(item, Cause.hasInterruptsOnly(cause)))
          for (const { nodeId, maxExecutors } of nodes) {
            const taken = (item: SagaDispatch) =>
              Effect.uninterruptibleMask((restore) =>
                Effect.flatMap(takeHeld(item, nodeId), (held) =>
                  held === undefined
                    ? Effect.void
                    : Effect.ignoreCause(executed({ ...held, begun: item.begun }, restore))
                )
              ).pipe(Effect.forkIn(scope), Effect.asVoid)
            yield* Effect.acquireRelease(
              Effect.sync(() => handed.set(nodeId, taken)),
              () => Effect.sync(() => handed.get(nodeId) === taken && handed.delete(nodeId))
            )
            const [busy, wake] = [Semaphore.makeUnsafe(1), Latch.makeUnsafe(false)]
            yield* Effect.acquireRelease(
              Effect.sync(() => wakes.add(wake)),
              () => Effect.sync(() => wakes.delete(wake))
            )
            const inTurn = (restore: typeof Effect.interruptible) =>
              Effect.andThen(restore(busy.take(1)), Effect.ensuring(next(nodeId, wake, restore), busy.release(1)))
            const executor = Effect.uninterruptibleMask((restore) =>
              Effect.flatMap(inTurn(restore), (item) => executed(item, restore))
            ).pipe(Effect.ignoreCause)
            for (let i = 0; i < maxExecutors; i++) yield* Effect.forkScoped(Effect.forever(executor))
          }
        }),
        check: Effect.void
      })
    })
  )
}

/** Pause before an item whose executor failed is delivered again. */
const retryMillis = 1000
