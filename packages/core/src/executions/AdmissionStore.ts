/** Port: the one write by which an execution is accepted, with its saga and its first events. */

import { Clock, Context, Effect, Layer } from "effect"
import { EventLog } from "../events/EventLog.ts"
import type { NewEvent } from "../events/StoredEvent.ts"
import { streamOf } from "../ids/Subject.ts"
import { pauseRows, queueRows } from "../queue/memoryTables.ts"
import type { QueueEntry } from "../queue/QueueEntry.ts"
import { logInMemory } from "../sagas/Journal.ts"
import { dispatchedItems, engineItems, sagaRows } from "../sagas/memoryTables.ts"
import type { Saga } from "../sagas/Saga.ts"
import type { SagaEntry } from "../sagas/SagaEntry.ts"
import { itemName, type QueueItem } from "../sagas/SagaItem.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Execution } from "./Execution.ts"
import { executionRows } from "./memoryTables.ts"

export interface AcceptedExecution {
  readonly execution: Execution
  readonly saga: Saga
  /** Appended to the stream of the execution; at least one. */
  readonly events: ReadonlyArray<NewEvent>
}

/** What there is when an execution starts in the moment in which it is accepted. */
export interface StartedExecution extends AcceptedExecution {
  /** Assigned, to the node that is the saga's node. The saga is claimed: it bears fence 1 and the name of this instance. */
  readonly entry: QueueEntry
  /** The saga's log so far; execution and saga stand as after it. */
  readonly entries: ReadonlyArray<SagaEntry>
}

/** How long an item is kept for the instance that has written it. */
const heldMillis = 9_000

export class AdmissionStore extends Context.Service<
  AdmissionStore,
  {
    /**
     * Adds an execution that waits, its saga, which has no log yet, and its first events, or nothing, in one atomic step. Ids that exist
     * are a defect. Joins a transaction. The caller writes the queue entry and dispatches the saga.
     */
    createQueued(accepted: AcceptedExecution): Effect.Effect<void, StorageError>
    /**
     * As `createQueued`, for an execution that starts at once: stores its queue entry (assigned), the log of its saga, and an item of the
     * engine that is held for this instance; `SagaEngine.deliverLocal` takes it up. `false`, and nothing is written, if others wait for the same
     * runtime or it is paused. One atomic step, in one round trip where the database allows. Joins a transaction.
     */
    createStarted(started: StartedExecution): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/executions/AdmissionStore") {
  static readonly layerMemory = Layer.effect(
    AdmissionStore,
    Effect.gen(function* () {
      const database = yield* MemoryDatabase
      const events = yield* EventLog
      const [executions, sagas] = [executionRows(database), sagaRows(database)]
      const [line, pauses] = [queueRows(database), pauseRows(database)]
      const [items, seen] = [engineItems(database), dispatchedItems(database)]

      const createQueued = Effect.fnUntraced(function* ({ events: first, execution, saga }: AcceptedExecution) {
        const { executionId } = execution
        if ((yield* executions.get).has(executionId) || (yield* sagas.get).has(saga.sagaId))
          return yield* Effect.die(`execution ${executionId} or saga ${saga.sagaId} exists`)
        yield* executions.modify((rows) => [undefined, new Map(rows).set(executionId, execution)])
        yield* sagas.modify((rows) => [undefined, new Map(rows).set(saga.sagaId, saga)])
        yield* events.append(streamOf(saga.subject), first)
      })
      const isTaken = (entry: QueueEntry) =>
        Effect.map(Effect.all([line.get, pauses.get]), ([entries, paused]) => {
          const waits = (other: QueueEntry) => other.runtime === entry.runtime && other.state === "waiting"
          return paused.has("all") || paused.has(entry.runtime) || [...entries.values()].some(waits)
        })
      const createStarted = Effect.fnUntraced(function* ({ entries, entry, ...accepted }: StartedExecution) {
        if (yield* isTaken(entry)) return false
        yield* createQueued(accepted)
        yield* logInMemory(database, accepted.saga, entries, accepted.saga.updatedAt)
        yield* line.modify((rows) => [undefined, new Map(rows).set(entry.executionId, entry)])
        const { dispatch, nodeId, sagaId } = accepted.saga
        const dueMillis = (yield* Clock.currentTimeMillis) + heldMillis
        const item: QueueItem = { sagaId, dispatch, nodeId, dueMillis }
        yield* items.modify((waiting) => [undefined, [...waiting, item]])
        yield* seen.modify((names) => [undefined, new Set(names).add(itemName(item, nodeId))])
        return true
      })
      return AdmissionStore.of({
        createQueued: (accepted) => database.transaction(createQueued(accepted)),
        createStarted: (started) => database.transaction(createStarted(started))
      })
    })
  )
}
