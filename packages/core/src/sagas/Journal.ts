/** Port: the one write by which a saga moves. Log entries, the saga's row, the row of its subject and their events go in together. */

import { Context, type DateTime, Effect, Layer, Struct } from "effect"
import { EventLog } from "../events/EventLog.ts"
import type { NewEvent } from "../events/StoredEvent.ts"
import { streamOf } from "../ids/Subject.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { MemorySubjects } from "./MemorySubjects.ts"
import { sagaEntries, sagaRows } from "./memoryTables.ts"
import { Saga } from "./Saga.ts"
import type { SagaEntry } from "./SagaEntry.ts"

export interface JournalWrite {
  /** The saga as it stands after `entries`. Its `fence` is the writer's; what others write is not written: `dispatch`, `nodeId`, `suspended`, `cancelRequest`. */
  readonly saga: Saga
  readonly at: DateTime.Utc
  /** In order, at least one; the first gets `saga.logLength - entries.length + 1`. */
  readonly entries: ReadonlyArray<SagaEntry>
  /**
   * The subject after the entries; absent when they do not change it, or when its definition saves it itself. A journal knows the kinds
   * that it writes: today an `Execution`, which leaves the queue as well when it has ended, and keeps its stored name and labels. Another kind
   * is a defect.
   */
  readonly subject?: unknown
  /** Appended to the stream of the subject; may be empty. */
  readonly events: ReadonlyArray<NewEvent>
}

export class Journal extends Context.Service<
  Journal,
  {
    /**
     * Writes all of it, or nothing: `false` means that the saga no longer bears the writer's fence, so another executor has taken
     * over and the writer must stop. One atomic step, in one round trip where the database allows. Joins a transaction.
     */
    append(write: JournalWrite): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/sagas/Journal") {
  static readonly layerMemory = Layer.effect(
    Journal,
    Effect.gen(function* () {
      const database = yield* MemoryDatabase
      const events = yield* EventLog
      const subjects = yield* MemorySubjects
      const sagas = sagaRows(database)

      const append = Effect.fnUntraced(function* (write: JournalWrite) {
        const { at, entries, saga, subject } = write
        const current = (yield* sagas.get).get(saga.sagaId)
        if (current?.fence !== saga.fence) return false
        const { cancelRequest, dispatch, nodeId, suspended } = current
        const moved = new Saga({
          ...Struct.omit(saga, ["cancelRequest", "nodeId", "suspended"]),
          dispatch,
          ...(cancelRequest === undefined ? {} : { cancelRequest }),
          ...(nodeId === undefined ? {} : { nodeId }),
          ...(suspended === undefined ? {} : { suspended })
        })
        yield* sagas.modify((rows) => [undefined, new Map(rows).set(saga.sagaId, moved)])
        yield* logInMemory(database, saga, entries, at)
        if (subject !== undefined) yield* subjects.save(subject)
        if (write.events.length > 0) yield* events.append(streamOf(saga.subject), write.events)
        return true
      })
      return Journal.of({ append: (write) => database.transaction(append(write)) })
    })
  )
}

/** Adds the last entries of the saga's log, for stores in memory. */
export const logInMemory = (
  database: MemoryDatabase["Service"],
  saga: Saga,
  entries: ReadonlyArray<SagaEntry>,
  at: DateTime.Utc
): Effect.Effect<void> => {
  const logged = entries.map((entry, i) => ({
    seq: saga.logLength - entries.length + i + 1,
    fence: saga.fence,
    at,
    entry,
    ...(saga.executor === undefined ? {} : { executor: saga.executor })
  }))
  return sagaEntries(database).modify((rows) => [
    undefined,
    new Map(rows).set(saga.sagaId, [...(rows.get(saga.sagaId) ?? []), ...logged])
  ])
}
