/** Begins sagas: writes the row and queues the first dispatch, inside the transaction of whatever the saga is to carry out. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SagaId } from "../ids/SagaId.ts"
import type { Subject } from "../ids/Subject.ts"
import type { UserId } from "../ids/UserId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { project } from "./internal/project.ts"
import { Journal } from "./Journal.ts"
import { Saga } from "./Saga.ts"
import { SagaEngine } from "./SagaEngine.ts"
import type { SagaEntry } from "./SagaEntry.ts"
import type { SagaNode } from "./SagaItem.ts"
import { fold } from "./SagaProgress.ts"
import type { SagaRestart } from "./SagaRestart.ts"
import { SagaStore } from "./SagaStore.ts"

export interface SagaOrder {
  readonly sagaId: SagaId
  readonly definition: { readonly name: string; readonly version: number }
  readonly subject: Subject
  readonly ownerId: UserId
  readonly correlationId: string
  readonly nodeId: SagaNode
  /** It is written down only; `resume` sets it going. */
  readonly suspended: boolean
  /** The saga that this one goes on for: a request to cancel that one holds for this one, which then is not suspended. */
  readonly after?: SagaId | undefined
  /** Goes on from another saga. */
  readonly restart?: SagaRestart | undefined
}

export class SagaLauncher extends Context.Service<
  SagaLauncher,
  {
    /** The saga of an order, stored nowhere yet. */
    make(order: SagaOrder): Effect.Effect<Saga, StorageError>
    /**
     * Sets a new saga going that `AdmissionStore.createQueued` has stored: writes what it carries over from another one, and dispatches it unless it
     * is suspended. Joins the caller's transaction: an executor meets the saga once that commits, and never if it rolls back.
     */
    start(saga: Saga, restart?: SagaRestart): Effect.Effect<void, StorageError>
    /** `make`, stores it, and `start`. */
    launch(order: SagaOrder): Effect.Effect<Saga, StorageError>
    /**
     * Dispatches a saga anew, in a node, also one that was suspended; items of before are stale, and a living executor loses it to the
     * next. Joins the caller's transaction. Changes nothing if the saga has ended.
     */
    resume(sagaId: SagaId, nodeId: SagaNode): Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/sagas/SagaLauncher") {
  static readonly layer = Layer.effect(
    SagaLauncher,
    Effect.gen(function* () {
      const [store, engine, journal] = [yield* SagaStore, yield* SagaEngine, yield* Journal]

      const make = Effect.fnUntraced(function* ({
        after,
        definition,
        nodeId,
        suspended,
        restart: _,
        ...owner
      }: SagaOrder) {
        const createdAt = yield* DateTime.now
        const before = after === undefined ? Option.none() : yield* store.find(after)
        const cancelRequest = Option.getOrUndefined(before)?.cancelRequest
        return new Saga({
          ...owner,
          sagaName: definition.name,
          definitionVersion: definition.version,
          state: "created",
          completedSteps: [],
          compensatedSteps: [],
          retryCount: 0,
          logLength: 0,
          dispatch: 1,
          fence: 0,
          createdAt,
          updatedAt: createdAt,
          ...(nodeId === undefined ? {} : { nodeId }),
          ...(suspended && cancelRequest === undefined ? { suspended } : {}),
          ...(cancelRequest === undefined ? {} : { cancelRequest })
        })
      })
      const begin = Effect.fnUntraced(function* (saga: Saga, entries: ReadonlyArray<SagaEntry>) {
        const progress = yield* Effect.orDie(Effect.fromResult(fold(entries)))
        const { createdAt: at } = saga
        yield* journal.append({ saga: project(saga, progress, at), at, entries, events: [] })
      })
      const start = Effect.fnUntraced(function* (saga: Saga, restart?: SagaRestart) {
        const { dispatch, nodeId, suspended, sagaId } = saga
        if (restart !== undefined) yield* begin(saga, restart.entries)
        if (suspended !== true) yield* engine.dispatch({ sagaId, dispatch }, nodeId)
      })

      return SagaLauncher.of({
        make,
        start,
        launch: (order) =>
          Effect.tap(make(order), (saga) => Effect.andThen(store.insert(saga), start(saga, order.restart))),
        resume: Effect.fnUntraced(function* (sagaId, nodeId) {
          const resumed = yield* store.redispatch(sagaId, { nodeId })
          if (Option.isSome(resumed)) yield* engine.dispatch({ sagaId, dispatch: resumed.value.dispatch }, nodeId)
        })
      })
    })
  )
}
