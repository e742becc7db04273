/**
 * Port: the one write by which a saga begins, and the one by which it moves. Log entries, the saga's row, the domain's row and its
 * events go in together.
 */
import { Clock, Context, type DateTime, Effect, Layer, Struct } from "effect"
import { EventLog } from "../events/EventLog.ts"
import type { NewEvent } from "../events/StoredEvent.ts"
import type { Execution } from "../executions/Execution.ts"
import { calledAsStored } from "../executions/ExecutionLabels.ts"
import { isTerminal } from "../executions/ExecutionStatus.ts"
import type { QueueEntry } from "../queue/QueueEntry.ts"
import { Saga } from "../sagas/Saga.ts"
import type { SagaEntry } from "../sagas/SagaEntry.ts"
import { itemName, type QueueItem } from "../sagas/SagaItem.ts"
import { MemoryDatabase } from "./MemoryDatabase.ts"
import {
  dispatchedItems,
  engineItems,
  executionRows,
  pauseRows,
  queueRows,
  sagaEntries,
  sagaRows
} from "./memoryTables.ts"
import type { StorageError } from "./StorageError.ts"

export interface JournalWrite {
  /** The saga as it stands after `entries`. Its `fence` is the writer's; what others write is not written: `dispatch`, `lane`, `parked`, `cancelRequest`. */
  readonly saga: Saga
  readonly at: DateTime.Utc
  /** In order, at least one; the first gets `saga.logLength - entries.length + 1`. */
  readonly entries: ReadonlyArray<SagaEntry>
  /** The execution after the entries; absent when they do not change it. When it has ended it leaves the line as well. Name and labels stay as stored. */
  readonly execution?: Execution | undefined
  /** Appended to the stream of the execution; may be empty. */
  readonly events: ReadonlyArray<NewEvent>
}

/** What there is when a saga begins. */
export interface JournalOpening {
  readonly execution: Execution
  readonly saga: Saga
  /** Appended to the stream of the execution; at least one. */
  readonly events: ReadonlyArray<NewEvent>
}

/** What there is when an execution starts in the moment in which it is accepted. */
export interface JournalBeginning extends JournalOpening {
  /** Admitted, to the place that is the saga's lane. The saga is claimed: it bears fence 1 and the name of this host. */
  readonly entry: QueueEntry
  /** The saga's log so far; execution and saga stand as after it. */
  readonly entries: ReadonlyArray<SagaEntry>
}

/** The stream that holds everything about one execution. */
export const streamOf = (saga: Pick<Saga, "executionId">): `execution/${string}` => `execution/${saga.executionId}`

/** How long an item is kept for the host that has written it. */
const heldMillis = 9_000

export class Journal extends Context.Service<
  Journal,
  {
    /**
     * Adds an execution, its saga, which has no log yet, and its first events, or nothing, in one atomic step. Ids that exist are a
     * defect. Joins a transaction. The caller dispatches the saga.
     */
    open(opening: JournalOpening): Effect.Effect<void, StorageError>
    /**
     * As `open`, for an execution that need not wait: its entry goes into the line, what its saga has done into the log, and an item for its saga into the queue of the
     * engine, held for this host; `SagaEngine.hand` takes it up. `false`, and nothing is written, if others wait for the same
     * runtime or it is paused. One atomic step, in one round trip where the database allows. Joins a transaction.
     */
    begin(beginning: JournalBeginning): Effect.Effect<boolean, StorageError>
    /**
     * Writes all of it, or nothing: `false` means that the saga no longer bears the writer's fence, so another driver has taken
     * over and the writer must stop. One atomic step, in one round trip where the database allows. Joins a transaction.
     */
    append(write: JournalWrite): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/storage/Journal") {
  static readonly layerMemory = Layer.effect(
    Journal,
    Effect.gen(function* () {
      const database = yield* MemoryDatabase
      const events = yield* EventLog
      const [sagas, logs] = [sagaRows(database), sagaEntries(database)]
      const [executions, line, pauses] = [executionRows(database), queueRows(database), pauseRows(database)]
      const [items, seen] = [engineItems(database), dispatchedItems(database)]

      const log = (saga: Saga, entries: ReadonlyArray<SagaEntry>, at: DateTime.Utc) => {
        const logged = entries.map((entry, i) => ({
          seq: saga.logLength - entries.length + i + 1,
          fence: saga.fence,
          at,
          entry,
          ...(saga.driver === undefined ? {} : { driver: saga.driver })
        }))
        return logs.modify((rows) => [
          undefined,
          new Map(rows).set(saga.sagaId, [...(rows.get(saga.sagaId) ?? []), ...logged])
        ])
      }
      const append = Effect.fnUntraced(function* (write: JournalWrite) {
        const { at, entries, execution, saga } = write
        const current = (yield* sagas.get).get(saga.sagaId)
        if (current?.fence !== saga.fence) return false
        const { cancelRequest, dispatch, lane, parked } = current
        const moved = new Saga({
          ...Struct.omit(saga, ["cancelRequest", "lane", "parked"]),
          dispatch,
          ...(cancelRequest === undefined ? {} : { cancelRequest }),
          ...(lane === undefined ? {} : { lane }),
          ...(parked === undefined ? {} : { parked })
        })
        yield* sagas.modify((rows) => [undefined, new Map(rows).set(saga.sagaId, moved)])
        yield* log(saga, entries, at)
        if (execution !== undefined)
          yield* executions.modify((rows) => {
            const stored = calledAsStored(execution, rows.get(execution.executionId))
            return [undefined, new Map(rows).set(execution.executionId, stored)]
          })
        if (execution !== undefined && isTerminal(execution.status))
          yield* line.modify((rows) => {
            const left = new Map(rows)
            left.delete(execution.executionId)
            return [undefined, left]
          })
        if (write.events.length > 0) yield* events.append(streamOf(saga), write.events)
        return true
      })
      const open = Effect.fnUntraced(function* ({ events: first, execution, saga }: JournalOpening) {
        const { executionId } = execution
        if ((yield* executions.get).has(executionId) || (yield* sagas.get).has(saga.sagaId))
          return yield* Effect.die(`execution ${executionId} or saga ${saga.sagaId} exists`)
        yield* executions.modify((rows) => [undefined, new Map(rows).set(executionId, execution)])
        yield* sagas.modify((rows) => [undefined, new Map(rows).set(saga.sagaId, saga)])
        yield* events.append(streamOf(saga), first)
      })
      const isTaken = (entry: QueueEntry) =>
        Effect.map(Effect.all([line.get, pauses.get]), ([entries, paused]) => {
          const waits = (other: QueueEntry) => other.runtime === entry.runtime && other.state === "waiting"
          return paused.has("all") || paused.has(entry.runtime) || [...entries.values()].some(waits)
        })
      const begin = Effect.fnUntraced(function* ({ entries, entry, ...opening }: JournalBeginning) {
        if (yield* isTaken(entry)) return false
        yield* open(opening)
        yield* log(opening.saga, entries, opening.saga.updatedAt)
        yield* line.modify((rows) => [undefined, new Map(rows).set(entry.executionId, entry)])
        const { dispatch, lane, sagaId } = opening.saga
        const dueMillis = (yield* Clock.currentTimeMillis) + heldMillis
        const item: QueueItem = { sagaId, dispatch, lane, dueMillis }
        yield* items.modify((waiting) => [undefined, [...waiting, item]])
        yield* seen.modify((names) => [undefined, new Set(names).add(itemName(item, lane))])
        return true
      })
      return Journal.of({
        begin: (beginning) => database.transaction(begin(beginning)),
        open: (opening) => database.transaction(open(opening)),
        append: (write) => database.transaction(append(write))
      })
    })
  )
}
