/** Port: where executions are kept. Rows change only through `sagas/Journal`, under their saga's fence. */

import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { executionIdOf } from "../ids/Subject.ts"
import type { UserId } from "../ids/UserId.ts"
import { sagaEntries, sagaRows } from "../sagas/memoryTables.ts"
import { maxCounted, totalOf } from "../storage/CountedTotal.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { type Execution, storedOutputBytes } from "./Execution.ts"
import type { TooManyLabels } from "./ExecutionError.ts"
import { isCalled, type LabelChange, type LabelMatch, relabelled } from "./ExecutionLabels.ts"
import { type ExecutionStatus, isTerminal } from "./ExecutionStatus.ts"
import { executionRows, idempotencyRows, outputRows } from "./memoryTables.ts"

export interface ExecutionFilter {
  readonly ownerId?: UserId | undefined
  /** Any of them; none means no restriction. */
  readonly statuses?: ReadonlyArray<ExecutionStatus> | undefined
  readonly lang?: string | undefined
  /** Created at or after. */
  readonly from?: DateTime.Utc | undefined
  /** Created before. */
  readonly to?: DateTime.Utc | undefined
  /** Part of the name, in upper or lower case. */
  readonly name?: string | undefined
  /** All of them; at most 10. */
  readonly labels?: ReadonlyArray<LabelMatch> | undefined
  /** 1 to 500. */
  readonly limit: number
  /** Rows to pass over; 0 or more. */
  readonly offset: number
}

export class ExecutionStore extends Context.Service<
  ExecutionStore,
  {
    /** Adds an execution. An id that exists is a defect. */
    insert(execution: Execution): Effect.Effect<void, StorageError>
    find(id: ExecutionId): Effect.Effect<Option.Option<Execution>, StorageError>
    /** Newest first. `total` counts every match, whatever the page, up to 10,000; see `CountedTotal`. */
    list(
      filter: ExecutionFilter
    ): Effect.Effect<{ readonly executions: ReadonlyArray<Execution>; readonly total: number }, StorageError>
    /** Changes name and labels at any time, whatever its saga does meanwhile; the execution with them. */
    relabel(id: ExecutionId, change: LabelChange): Effect.Effect<Option.Option<Execution>, TooManyLabels | StorageError>
    /** Bytes of stdout and stderr that are kept of the ended attempts of the owner's executions, as their outcomes tell. Quick with 100,000 of them. */
    storedOutputBytes(ownerId: UserId): Effect.Effect<number, StorageError>
    /** Removes a terminal execution; its output, its saga and its idempotency key go with it, its events stay. `false` if it is not there or not terminal. */
    remove(id: ExecutionId): Effect.Effect<boolean, StorageError>
    /**
     * Removes executions that ended before `time`, the oldest first, each as `remove` does, at most `limit` (1 to 1,000); how many. Instances that do it
     * side by side remove different ones. Fewer than `limit`: nothing that old is left for this caller.
     */
    removeEndedBefore(time: DateTime.Utc, limit: number): Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/executions/ExecutionStore") {
  static readonly layerMemory = Layer.effect(
    ExecutionStore,
    Effect.map(MemoryDatabase, (database) => {
      const rows = executionRows(database)
      const [outputs, keys] = [outputRows(database), idempotencyRows(database)]
      const [sagas, logs] = [sagaRows(database), sagaEntries(database)]
      const remove = (id: ExecutionId) =>
        database.transaction(
          Effect.gen(function* () {
            const found = (yield* rows.get).get(id)
            if (found === undefined || !isTerminal(found.status)) return false
            yield* rows.modify((known) => [undefined, without(known, (execution) => execution.executionId === id)])
            yield* outputs.modify((known) => [undefined, without(known, (_, name) => name.startsWith(`${id}/`))])
            yield* keys.modify((known) => [undefined, without(known, (claim) => claim.executionId === id)])
            const owned = [...(yield* sagas.get).values()].filter((saga) => executionIdOf(saga.subject) === id)
            for (const { sagaId } of owned) {
              yield* sagas.modify((known) => [undefined, without(known, (saga) => saga.sagaId === sagaId)])
              yield* logs.modify((known) => [undefined, without(known, (_, logged) => logged === sagaId)])
            }
            return true
          })
        )

      return ExecutionStore.of({
        insert: (execution) =>
          Effect.flatMap(
            rows.modify((known) =>
              known.has(execution.executionId)
                ? [true, known]
                : [false, new Map(known).set(execution.executionId, execution)]
            ),
            (existed) => (existed ? Effect.die(`execution ${execution.executionId} exists`) : Effect.void)
          ),
        find: (id) => Effect.map(rows.get, (known) => Option.fromUndefinedOr(known.get(id))),
        list: (filter) =>
          Effect.map(rows.get, (known) => {
            const found = [...known.values()].filter((row) => matches(row, filter)).sort(newestFirst)
            const executions = found.slice(filter.offset, filter.offset + filter.limit)
            return { executions, total: totalOf(filter, Math.min(found.length, maxCounted), executions.length) }
          }),
        relabel: Effect.fnUntraced(function* (id, change) {
          const found = (yield* rows.get).get(id)
          if (found === undefined) return Option.none()
          const changed = yield* Effect.fromResult(relabelled(found, change))
          yield* rows.modify((known) => [undefined, new Map(known).set(id, changed)])
          return Option.some(changed)
        }, database.transaction),
        storedOutputBytes: (ownerId) =>
          Effect.map(rows.get, (known) =>
            [...known.values()]
              .filter((row) => row.ownerId === ownerId)
              .reduce((sum, row) => sum + storedOutputBytes(row), 0)
          ),
        remove,
        removeEndedBefore: (time, limit) =>
          Effect.gen(function* () {
            const old = [...(yield* rows.get).values()]
              .filter(({ finishedAt }) => finishedAt !== undefined && DateTime.isLessThan(finishedAt, time))
              .sort((a, b) => endOf(a) - endOf(b))
              .slice(0, limit)
            return (yield* Effect.forEach(old, ({ executionId }) => remove(executionId))).filter(Boolean).length
          })
      })
    })
  )
}

const without = <K, V>(rows: ReadonlyMap<K, V>, gone: (value: V, key: K) => boolean): ReadonlyMap<K, V> =>
  new Map([...rows].filter(([key, value]) => !gone(value, key)))

const endOf = ({ finishedAt }: Execution) => finishedAt?.epochMilliseconds ?? 0

const newestFirst = (a: Execution, b: Execution) => (a.executionId < b.executionId ? 1 : -1)

const matches = (row: Execution, filter: ExecutionFilter) => isCalled(row, filter) && matchesRow(row, filter)

const matchesRow = (row: Execution, { from, lang, ownerId, statuses = [], to }: ExecutionFilter) =>
  (ownerId ?? row.ownerId) === row.ownerId &&
  (statuses.length === 0 || statuses.includes(row.status)) &&
  (lang ?? row.lang) === row.lang &&
  (from === undefined || row.createdAt.epochMilliseconds >= from.epochMilliseconds) &&
  (to === undefined || row.createdAt.epochMilliseconds < to.epochMilliseconds)
