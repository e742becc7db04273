/** Port: sagas and their logs. A saga moves only through `storage/Journal`, by the executor that holds its fence. */

import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SagaId } from "../ids/SagaId.ts"
import type { Subject } from "../ids/Subject.ts"
import type { UserId } from "../ids/UserId.ts"
import { maxCounted, totalOf } from "../storage/CountedTotal.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups } from "../wakeups/Wakeups.ts"
import { MemorySubjects } from "./MemorySubjects.ts"
import { sagaEntries, sagaRows } from "./memoryTables.ts"
import { type CancelRequest, claimedBy, isEnded, lastProgressAt, Saga, type SagaState } from "./Saga.ts"
import type { LoggedEntry } from "./SagaEntry.ts"

export interface SagaFilter {
  readonly ownerId?: UserId | undefined
  readonly subject?: Subject | undefined
  readonly state?: SagaState | undefined
  readonly sagaName?: string | undefined
  readonly nodeId?: string | undefined
  /** Created at or after. */
  readonly createdFrom?: DateTime.Utc | undefined
  /** Created before. */
  readonly createdTo?: DateTime.Utc | undefined
  /** Only those that have not ended and have made no progress since. */
  readonly stalledSince?: DateTime.Utc | undefined
  /** 1 to 1,000. */
  readonly limit: number
  readonly offset: number
}

export interface Redispatch {
  /** Absent: any executor. */
  readonly nodeId?: string | undefined
  readonly suspended?: boolean | undefined
  readonly fenceOff?: boolean | undefined
}

/** What an executor must know about a saga that it holds. */
export interface SagaPulse {
  readonly sagaId: SagaId
  readonly fence: number
  readonly cancelRequest: CancelRequest | undefined
}

export class SagaStore extends Context.Service<
  SagaStore,
  {
    /** Adds a saga that has no log yet. An id that exists is a defect. */
    insert(saga: Saga): Effect.Effect<void, StorageError>
    find(id: SagaId): Effect.Effect<Option.Option<Saga>, StorageError>
    /** Newest first. `total` counts every match, whatever the page, up to 10,000; see `CountedTotal`. */
    list(
      filter: SagaFilter
    ): Effect.Effect<{ readonly sagas: ReadonlyArray<Saga>; readonly total: number }, StorageError>
    /**
     * Makes the caller the saga's executor: raises the fence by one and names `executor`, if `dispatch` is the current number and
     * the saga has not ended; none otherwise (a stale or repeated queue item). One atomic step.
     */
    claim(id: SagaId, dispatch: number, executor: string): Effect.Effect<Option.Option<Saga>, StorageError>
    /**
     * Raises the dispatch number, so that every item of an older number is stale, and sends the saga into another node or parks
     * it. With `fenceOff` the fence goes up as well: whoever executes it now can write no more. None if it is unknown or has ended.
     * The caller offers the new item in the same transaction, unless the saga is suspended.
     */
    redispatch(id: SagaId, to: Redispatch): Effect.Effect<Option.Option<Saga>, StorageError>
    /** Nodes of sagas that have not ended and are not suspended, each once; `undefined` stands for no node. */
    readonly nodes: Effect.Effect<ReadonlyArray<string | undefined>, StorageError>
    /** Sagas of a node that have not ended and are not suspended, oldest first, at most `limit` (1 to 1,000). */
    onNode(nodeId: string, limit: number): Effect.Effect<ReadonlyArray<Saga>, StorageError>
    /**
     * Sagas that have not ended and have made no progress since `since`, oldest first, at most `limit` (1 to 1,000), behind `after`.
     * Without those whose subject waits for its turn, such as an execution in the queue.
     */
    stalled(
      since: DateTime.Utc,
      page: {
        readonly ownerId?: UserId | undefined
        readonly after?: SagaId | undefined
        readonly limit: number
      }
    ): Effect.Effect<ReadonlyArray<Saga>, StorageError>
    /** The whole log, oldest first; at most 10,000 entries. */
    log(id: SagaId): Effect.Effect<ReadonlyArray<LoggedEntry>, StorageError>
    /** Records the first request; later ones change nothing. None if the saga is unknown or has ended. Sends the wake-up `saga/…`. */
    requestCancel(id: SagaId, request: CancelRequest): Effect.Effect<Option.Option<Saga>, StorageError>
    /** Fence and cancel request of each saga in `ids` that is stored; at most 1,000 ids. */
    pulse(ids: ReadonlyArray<SagaId>): Effect.Effect<ReadonlyArray<SagaPulse>, StorageError>
  }
>()("@fairlead/core/sagas/SagaStore") {
  static readonly layerMemory = Layer.effect(
    SagaStore,
    Effect.gen(function* () {
      const database = yield* MemoryDatabase
      const wakeups = yield* Wakeups
      const subjects = yield* MemorySubjects
      const rows = sagaRows(database)
      const entries = sagaEntries(database)

      return SagaStore.of({
        insert: (saga) =>
          Effect.flatMap(
            rows.modify((known) =>
              known.has(saga.sagaId) ? [true, known] : [false, new Map(known).set(saga.sagaId, saga)]
            ),
            (existed) => (existed ? Effect.die(`saga ${saga.sagaId} exists`) : Effect.void)
          ),
        find: (id) => Effect.map(rows.get, (known) => Option.fromUndefinedOr(known.get(id))),
        list: (filter) =>
          Effect.map(rows.get, (known) => {
            const found = [...known.values()].filter((row) => matches(row, filter)).sort(newestFirst)
            const sagas = found.slice(filter.offset, filter.offset + filter.limit)
            return { sagas, total: totalOf(filter, Math.min(found.length, maxCounted), sagas.length) }
          }),
        claim: Effect.fnUntraced(function* (id, dispatch, executor) {
          const updatedAt = yield* DateTime.now
          return yield* rows.modify((known) => {
            const found = known.get(id)
            if (found === undefined || found.dispatch !== dispatch || isEnded(found.state))
              return [Option.none(), known]
            const claimed = claimedBy(found, executor, updatedAt)
            return [Option.some(claimed), new Map(known).set(id, claimed)]
          })
        }),
        redispatch: (id, { fenceOff = false, nodeId, suspended = false }) =>
          rows.modify((known) => {
            const found = known.get(id)
            if (found === undefined || isEnded(found.state)) return [Option.none(), known]
            const { nodeId: _, suspended: __, ...rest } = found
            const moved = new Saga({
              ...rest,
              dispatch: found.dispatch + 1,
              fence: found.fence + (fenceOff ? 1 : 0),
              ...(nodeId === undefined ? {} : { nodeId }),
              ...(suspended ? { suspended } : {})
            })
            return [Option.some(moved), new Map(known).set(id, moved)]
          }),
        nodes: Effect.map(rows.get, (known) => [
          ...new Set([...known.values()].filter(isActive).map(({ nodeId }) => nodeId))
        ]),
        onNode: (nodeId, limit) =>
          Effect.map(rows.get, (known) =>
            [...known.values()]
              .filter((saga) => isActive(saga) && saga.nodeId === nodeId)
              .sort((a, b) => -newestFirst(a, b))
              .slice(0, limit)
          ),
        stalled: (stalledSince, { after = "", limit, ownerId }) =>
          Effect.flatMap(rows.get, (known) => {
            const found = [...known.values()]
              .filter((saga) => saga.sagaId > after && matches(saga, { stalledSince, ownerId, limit, offset: 0 }))
              .sort((a, b) => -newestFirst(a, b))
            const idle = Effect.filter(found, (saga) => Effect.map(subjects.waits(saga), (waiting) => !waiting))
            return Effect.map(idle, (sagas) => sagas.slice(0, limit))
          }),
        log: (id) => Effect.map(entries.get, (known) => known.get(id) ?? []),
        requestCancel: (id, cancelRequest) =>
          rows
            .modify((known) => {
              const found = known.get(id)
              if (found === undefined || isEnded(found.state)) return [Option.none<Saga>(), known]
              if (found.cancelRequest !== undefined) return [Option.some(found), known]
              const requested = new Saga({ ...found, cancelRequest })
              return [Option.some(requested), new Map(known).set(id, requested)]
            })
            .pipe(Effect.tap((found) => (Option.isSome(found) ? wakeups.send(`saga/${id}`) : Effect.void))),
        pulse: (ids) =>
          Effect.map(rows.get, (known) =>
            ids.flatMap((id) => {
              const found = known.get(id)
              return found === undefined ? [] : [{ sagaId: id, fence: found.fence, cancelRequest: found.cancelRequest }]
            })
          )
      })
    })
  )
}

const isActive = ({ suspended, state }: Saga) => !isEnded(state) && suspended !== true

const newestFirst = (a: Saga, b: Saga) => (a.sagaId < b.sagaId ? 1 : -1)

const matches = (row: Saga, filter: SagaFilter) => {
  const { createdFrom, createdTo, nodeId, ownerId, sagaName, state, subject, stalledSince } = filter
  return (
    (ownerId ?? row.ownerId) === row.ownerId &&
    (subject === undefined || (subject.kind === row.subject.kind && subject.id === row.subject.id)) &&
    (state ?? row.state) === row.state &&
    (sagaName ?? row.sagaName) === row.sagaName &&
    (nodeId ?? row.nodeId) === row.nodeId &&
    (createdFrom === undefined || DateTime.isGreaterThanOrEqualTo(row.createdAt, createdFrom)) &&
    (createdTo === undefined || DateTime.isLessThan(row.createdAt, createdTo)) &&
    (stalledSince === undefined || (!isEnded(row.state) && DateTime.isLessThan(lastProgressAt(row), stalledSince)))
  )
}
