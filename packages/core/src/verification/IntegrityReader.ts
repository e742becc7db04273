/** Port: everything that is stored, for whoever proves that it is sound. Reads only, and reads also what no other store can decode. */

import { Context, Effect, Layer } from "effect"
import { type EventCursor, EventLog } from "../events/EventLog.ts"
import { executionRows, idempotencyRows, outputRows } from "../executions/memoryTables.ts"
import { executionIdOf } from "../ids/Subject.ts"
import { queueRows } from "../queue/memoryTables.ts"
import { dispatchedItems, sagaEntries, sagaRows } from "../sagas/memoryTables.ts"
import { isEnded } from "../sagas/Saga.ts"
import { itemName } from "../sagas/SagaItem.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { ExecutionRecords, OutputExtent } from "./ExecutionRecords.ts"
import { queueViolations } from "./queueChecks.ts"
import { unless, type Violation } from "./Violation.ts"

export class IntegrityReader extends Context.Service<
  IntegrityReader,
  {
    /**
     * The executions with ids behind `after` (absent: from the first), in the order of ids, at most `limit` (1 to 500), each as
     * it stood at one moment. Empty when there are no more. A row that does not decode is named in its records; it never fails.
     */
    page(after: string | undefined, limit: number): Effect.Effect<ReadonlyArray<ExecutionRecords>, StorageError>
    /**
     * What no set of records shows: rows without the execution or saga that they belong to, live sagas that nobody is going to execute,
     * and whatever the adapter keeps beside the models, such as columns and the order of the whole event log. At most 100
     * violations of each kind.
     */
    readonly violations: Effect.Effect<ReadonlyArray<Violation>, StorageError>
    /** Those of at most 500 ids whose execution was deleted, by the event that tells it. */
    deleted(executionIds: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, StorageError>
  }
>()("@fairlead/core/verification/IntegrityReader") {
  static readonly layerMemory = Layer.effect(
    IntegrityReader,
    Effect.gen(function* () {
      const database = yield* MemoryDatabase
      const log = yield* EventLog
      const read = Effect.all({
        executions: executionRows(database).get,
        sagas: sagaRows(database).get,
        entries: sagaEntries(database).get,
        outputs: outputRows(database).get,
        keys: idempotencyRows(database).get,
        dispatched: dispatchedItems(database).get,
        line: queueRows(database).get
      })

      const stream = (id: string) => log.readStream(`execution/${id}`, { afterVersion: 0, limit: 1_000 })
      const isDeleted = (id: string) =>
        Effect.map(stream(id), (events) => events.some(({ event }) => event._tag === "ExecutionDeleted"))

      /** Ids of the executions that have a stream. */
      const streamedIds = Effect.gen(function* () {
        const ids = new Set<string>()
        let cursor: EventCursor | undefined
        while (true) {
          const { events, next } = yield* log.readAll(cursor, 1_000)
          for (const { stream } of events)
            if (stream.startsWith("execution/")) ids.add(stream.slice("execution/".length))
          if (events.length === 0) return [...ids]
          cursor = next
        }
      })

      const page = Effect.fnUntraced(function* (after: string | undefined, limit: number) {
        const { entries, executions, keys, outputs, sagas } = yield* read
        const found = [...executions.values()]
          .filter(({ executionId }) => after === undefined || executionId > after)
          .sort((a, b) => (a.executionId < b.executionId ? -1 : 1))
          .slice(0, limit)
        return yield* Effect.forEach(
          found,
          Effect.fnUntraced(function* (execution) {
            const { executionId } = execution
            const records: ExecutionRecords = {
              executionId,
              execution,
              sagas: [...sagas.values()]
                .filter((saga) => executionIdOf(saga.subject) === executionId)
                .sort((a, b) => (a.sagaId < b.sagaId ? -1 : 1))
                .map((saga) => ({ saga, log: entries.get(saga.sagaId) ?? [] })),
              events: yield* stream(executionId),
              extents: [...outputs].flatMap(([name, { length }]) => extentOf(name, executionId, length)).sort(inOrder),
              keys: [...keys.values()].filter((claim) => claim.executionId === executionId),
              unreadable: []
            }
            return records
          })
        )
      })

      const violations = Effect.gen(function* () {
        const { dispatched, executions, keys, line, outputs, sagas } = yield* read
        const known = new Set<string>(executions.keys())
        const owned = (id: string, row: string) =>
          unless(known.has(id), "row_owned", row, `there is no execution ${id}`)
        const unexecuted = [...sagas.values()].flatMap(({ dispatch, nodeId, suspended, sagaId, state }) =>
          unless(
            isEnded(state) || suspended === true || dispatched.has(itemName({ sagaId, dispatch }, nodeId)),
            "saga_queued",
            `sagas ${sagaId}`,
            `it is ${state} and has no queue item ${dispatch}`
          )
        )
        const told = yield* streamedIds
        const gone = yield* Effect.filter(told, isDeleted)
        return [
          [...sagas.values()].flatMap(({ sagaId, subject }) => {
            const executionId = executionIdOf(subject)
            return executionId === undefined ? [] : owned(executionId, `sagas ${sagaId}`)
          }),
          [...new Set([...outputs.keys()].map((name) => name.split("/")[0] ?? ""))].flatMap((id) =>
            owned(id, `execution_output ${id}`)
          ),
          [...keys.values()].flatMap(({ executionId, key, ownerId }) =>
            owned(executionId, `idempotency_keys ${ownerId}/${key}`)
          ),
          told.filter((id) => !gone.includes(id)).flatMap((id) => owned(id, `events execution/${id}`)),
          unexecuted,
          queueViolations(executions, [...sagas.values()], line)
        ].flatMap((kind) => kind.slice(0, 100))
      })

      return IntegrityReader.of({ page, violations, deleted: (ids) => Effect.filter(ids, isDeleted) })
    })
  )
}

const extentOf = (name: string, executionId: string, length: number): ReadonlyArray<OutputExtent> => {
  const [id, attempt, output = ""] = name.split("/")
  return id === executionId && length > 0 ? [{ attempt: Number(attempt), output, offset: 0, length }] : []
}

const inOrder = (a: OutputExtent, b: OutputExtent) => a.attempt - b.attempt || (a.output < b.output ? -1 : 1)
