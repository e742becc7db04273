/**
 * Port: where and when sagas are driven. The engine delivers queue items to drivers, at least once; whether an item still
 * counts is decided by `SagaStore.claim`, so delivering one twice, late or to a second host does no harm.
 */
import { Cause, Clock, Context, Effect, Latch, Layer, type Scope, Semaphore } from "effect"
import { MemoryDatabase, sharedTable } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { SagaFenced } from "./SagaDefinition.ts"
import { type BegunSaga, itemName, itemOf, type QueueItem, type SagaDispatch, type SagaLane } from "./SagaItem.ts"

/** What a host drives. */
export interface LaneDrivers {
  readonly lane: SagaLane
  /** Sagas of the lane in hand at once. */
  readonly maxDrivers: number
}

export class SagaEngine extends Context.Service<
  SagaEngine,
  {
    /**
     * Queues the item inside the caller's transaction: it is delivered once that commits, and never if it rolls back.
     * `delayMillis` (default 0) may be rounded up to whole seconds. Dispatching the same number twice in a lane delivers once.
     */
    dispatch(item: SagaDispatch, lane?: SagaLane, delayMillis?: number): Effect.Effect<void, StorageError>
    /**
     * Delivers to this host's drivers, at once, the item of a saga that `AdmissionStore.createStarted` has queued in its hands. Call it when that is
     * committed; until then, and when the host dies, others are kept from it for some seconds. The caller bounds how many there are.
     */
    hand(begun: BegunSaga): Effect.Effect<void>
    /**
     * Delivers the items of the lanes to `drive`, at most `maxDrivers` of each at a time, until the scope closes; items in hand
     * are then handed back. An item whose driver fails, or whose host dies, is delivered again. Call once a host.
     */
    run(
      drive: (item: SagaDispatch) => Effect.Effect<void, SagaFenced | StorageError>,
      lanes: ReadonlyArray<LaneDrivers>
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
      const handed = new Map<SagaLane, (item: SagaDispatch) => Effect.Effect<void>>()
      const seen = dispatchedItems(database)
      /** One for each lane that is driven here. */
      const wakes = new Set<Latch.Latch>()
      const wakeAll = Effect.suspend(() => Effect.forEach([...wakes], Latch.open, { discard: true }))

      /** Takes the first due item of the lane out of the table; else how many millis to wait for one. */
      const take = (lane: SagaLane) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          items.modify((waiting): readonly [QueueItem | number, ReadonlyArray<QueueItem>] => {
            const due = waiting.find((item) => item.lane === lane && item.dueMillis <= now)
            if (due !== undefined) return [due, waiting.filter((item) => item !== due)]
            const later = waiting.filter((item) => item.lane === lane).map((item) => item.dueMillis - now)
            return [Math.min(1000, ...later), waiting]
          })
        )
      /** Takes an item out of the table that is still held for this host. */
      const takeHeld = (item: SagaDispatch, lane: SagaLane) =>
        items.modify((waiting): readonly [QueueItem | undefined, ReadonlyArray<QueueItem>] => {
          const found = waiting.find((each) => itemName(each, each.lane) === itemName(item, lane))
          return [found, waiting.filter((each) => each !== found)]
        })
      /** Waits for an item. Only the waiting can be interrupted, so that no item is lost between the table and a driver. */
      const next = (
        lane: SagaLane,
        wake: Latch.Latch,
        restore: typeof Effect.interruptible
      ): Effect.Effect<QueueItem> =>
        Effect.gen(function* () {
          while (true) {
            yield* Latch.close(wake)
            const found = yield* take(lane)
            if (typeof found !== "number") return found
            yield* restore(Effect.race(Latch.await(wake), Effect.sleep(found)))
          }
        })
      /** At once if the driver was interrupted, after a pause if it failed: it may fail again. */
      const putBack = Effect.fnUntraced(function* (item: QueueItem, interrupted: boolean) {
        const now = yield* Clock.currentTimeMillis
        const { begun: _, ...again } = item
        const dueMillis = interrupted ? Math.min(now, item.dueMillis) : now + retryMillis
        yield* items.modify((waiting) => [undefined, [...waiting, { ...again, dueMillis }]])
        yield* wakeAll
      })

      return SagaEngine.of({
        dispatch: Effect.fnUntraced(function* (item, lane, delayMillis = 0) {
          const dueMillis = (yield* Clock.currentTimeMillis) + delayMillis
          const name = itemName(item, lane)
          const known = yield* seen.modify((names) => [names.has(name), new Set(names).add(name)])
          if (known) return
          yield* items.modify((waiting) => [undefined, [...waiting, { ...item, lane, dueMillis }]])
          yield* database.afterCommit(wakeAll)
        }),
        hand: (begun) => handed.get(begun.saga.lane)?.(itemOf(begun)) ?? Effect.void,
        run: Effect.fnUntraced(function* (drive, lanes) {
          const scope = yield* Effect.scope
          const driven = (item: QueueItem, restore: typeof Effect.interruptible) =>
            Effect.onError(restore(drive(item)), (cause) => putBack(item, Cause.hasInterruptsOnly(cause)))
          for (const { lane, maxDrivers } of lanes) {
            const taken = (item: SagaDispatch) =>
              Effect.uninterruptibleMask((restore) =>
                Effect.flatMap(takeHeld(item, lane), (held) =>
                  held === undefined ? Effect.void : Effect.ignoreCause(driven({ ...held, begun: item.begun }, restore))
                )
              ).pipe(Effect.forkIn(scope), Effect.asVoid)
            yield* Effect.acquireRelease(
              Effect.sync(() => handed.set(lane, taken)),
              () => Effect.sync(() => handed.get(lane) === taken && handed.delete(lane))
            )
            const [busy, wake] = [Semaphore.makeUnsafe(1), Latch.makeUnsafe(false)]
            yield* Effect.acquireRelease(
              Effect.sync(() => wakes.add(wake)),
              () => Effect.sync(() => wakes.delete(wake))
            )
            const inTurn = (restore: typeof Effect.interruptible) =>
              Effect.andThen(restore(busy.take(1)), Effect.ensuring(next(lane, wake, restore), busy.release(1)))
            const driver = Effect.uninterruptibleMask((restore) =>
              Effect.flatMap(inTurn(restore), (item) => driven(item, restore))
            ).pipe(Effect.ignoreCause)
            for (let i = 0; i < maxDrivers; i++) yield* Effect.forkScoped(Effect.forever(driver))
          }
        }),
        check: Effect.void
      })
    })
  )
}

/** Pause before an item whose driver failed is delivered again. */
const retryMillis = 1000

export const engineItems = sharedTable<ReadonlyArray<QueueItem>>([])

/** Every item of the engine there ever was, by its name, so that a number is delivered once. */
export const dispatchedItems = sharedTable<ReadonlySet<string>>(new Set())
