/** Port: the queue of executions that have not ended. Who is next is decided as `QueueOrder` says. */

import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { UserId } from "../ids/UserId.ts"
import type { RuntimeKind } from "../runtime/Job.ts"
import type { NodeId } from "../runtime/NodeId.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { pauseRows, queueRows } from "./memoryTables.ts"
import { QueueEntry, type QueueState } from "./QueueEntry.ts"
import { countsOf, loadOf, type Pause, type PauseScope, type QueueCounts, type QueueLoad } from "./QueueLoad.ts"
import { byRank, type NodeOffer, nextToRun, type QueueLimits, readied } from "./QueueOrder.ts"

export interface QueueFilter {
  readonly ownerId?: UserId | undefined
  readonly runtime?: RuntimeKind | undefined
  readonly state?: QueueState | undefined
  /** 1 to 500. */
  readonly limit: number
  readonly offset: number
}

export class QueueStore extends Context.Service<
  QueueStore,
  {
    /** Adds an entry that is not assigned; `AdmissionStore.createStarted` writes one that is. An id that exists is a defect. */
    enqueue(entry: QueueEntry): Effect.Effect<void, StorageError>
    /**
     * Makes ready what is due, then assigns slots who is next, up to the offer's limit: none while paused. One atomic step for
     * all instances, so no limit is ever exceeded. Joins the caller's transaction, which dispatches the sagas.
     */
    assign(
      offer: NodeOffer,
      limits: QueueLimits,
      now: DateTime.Utc
    ): Effect.Effect<ReadonlyArray<QueueEntry>, StorageError>
    /** Puts an assigned entry back into the queue, as it is given here, without a node. `false` if it is not there or not assigned. */
    requeue(entry: QueueEntry): Effect.Effect<boolean, StorageError>
    /** Takes an entry out that is not assigned. `false` if it is not there or assigned. */
    withdraw(id: ExecutionId): Effect.Effect<boolean, StorageError>
    /**
     * Entries of the owner with that key, in the order of rank, running ones included; as many as the owner may have active. Until
     * the caller's transaction ends nobody else is answered for the key, so what is decided by the answer holds for all instances.
     */
    claimKey(ownerId: UserId, key: string): Effect.Effect<ReadonlyArray<QueueEntry>, StorageError>
    find(id: ExecutionId): Effect.Effect<Option.Option<QueueEntry>, StorageError>
    /** In the order of rank. `total` counts every match, whatever the page. */
    list(
      filter: QueueFilter
    ): Effect.Effect<{ readonly entries: ReadonlyArray<QueueEntry>; readonly total: number }, StorageError>
    /** Entries of the same owner and runtime, waiting, of an earlier rank. */
    ownAhead(entry: QueueEntry): Effect.Effect<number, StorageError>
    /** Entries of one owner, exactly. */
    counts(ownerId: UserId): Effect.Effect<QueueCounts, StorageError>
    readonly load: Effect.Effect<QueueLoad, StorageError>
    /** Executions assigned to a node, in no order. */
    assignedTo(nodeId: NodeId): Effect.Effect<ReadonlyArray<ExecutionId>, StorageError>
    /** Entries that are not assigned and whose time is up, at most `limit`. */
    expired(now: DateTime.Utc, limit: number): Effect.Effect<ReadonlyArray<QueueEntry>, StorageError>
    /** Changes the priority of an entry that is not assigned. `false` if it is not there or assigned. */
    reprioritise(id: ExecutionId, priority: number, rankAt: DateTime.Utc): Effect.Effect<boolean, StorageError>
    /** Stops new starts of a scope, for every instance. `false` if it was paused before; that pause stays as it was. */
    pause(pause: Pause): Effect.Effect<boolean, StorageError>
    /** `false` if it was not paused. */
    resume(scope: PauseScope): Effect.Effect<boolean, StorageError>
    readonly pauses: Effect.Effect<ReadonlyArray<Pause>, StorageError>
  }
>()("@fairlead/core/queue/QueueStore") {
  static readonly layerMemory = Layer.effect(
    QueueStore,
    Effect.map(MemoryDatabase, (database) => {
      const rows = queueRows(database)
      const pauses = pauseRows(database)

      const all = Effect.map(rows.get, (known) => [...known.values()])
      const pausedFor = (runtime: RuntimeKind) =>
        Effect.map(pauses.get, (known) => known.has("all") || known.has(runtime))
      const put = (entries: ReadonlyArray<QueueEntry>) =>
        rows.modify((known) => [
          undefined,
          new Map([...known, ...entries.map((entry) => [entry.executionId, entry] as const)])
        ])
      /** Changes an entry if `may` says so. */
      const change = (
        id: ExecutionId,
        may: (entry: QueueEntry) => boolean,
        by: (entry: QueueEntry) => QueueEntry | undefined
      ) =>
        rows.modify((known) => {
          const found = known.get(id)
          if (found === undefined || !may(found)) return [false, known]
          const [next, changed] = [new Map(known), by(found)]
          if (changed === undefined) next.delete(id)
          else next.set(id, changed)
          return [true, next]
        })

      return QueueStore.of({
        enqueue: (entry) =>
          database.transaction(
            Effect.gen(function* () {
              const entries = yield* all
              if (entries.some(({ executionId }) => executionId === entry.executionId))
                return yield* Effect.die(`execution ${entry.executionId} is in the line`)
              yield* put([entry])
            })
          ),
        assign: (offer, limits, now) =>
          database.transaction(
            Effect.gen(function* () {
              const entries = readied(yield* all, now)
              yield* put(entries)
              if (yield* pausedFor(offer.runtime)) return []
              const assigned = nextToRun(entries, offer, limits).map(
                (entry) => new QueueEntry({ ...entry, state: "assigned", nodeId: offer.nodeId })
              )
              yield* put(assigned)
              return assigned
            })
          ),
        requeue: (entry) =>
          change(
            entry.executionId,
            ({ state }) => state === "assigned",
            () => withoutNode(entry)
          ),
        withdraw: (id) =>
          change(
            id,
            (entry) => entry.state !== "assigned",
            () => undefined
          ),
        claimKey: (ownerId, key) =>
          Effect.map(all, (entries) =>
            entries.filter((entry) => entry.ownerId === ownerId && entry.concurrencyKey === key).sort(byRank)
          ),
        find: (id) => Effect.map(rows.get, (known) => Option.fromUndefinedOr(known.get(id))),
        list: (filter) =>
          Effect.map(all, (entries) => {
            const found = entries.filter((entry) => matches(entry, filter)).sort(byRank)
            return { entries: found.slice(filter.offset, filter.offset + filter.limit), total: found.length }
          }),
        ownAhead: (entry) =>
          Effect.map(
            all,
            (entries) =>
              entries.filter(
                (other) =>
                  other.ownerId === entry.ownerId &&
                  other.runtime === entry.runtime &&
                  other.state === "waiting" &&
                  byRank(other, entry) < 0
              ).length
          ),
        counts: (ownerId) => Effect.map(all, (entries) => countsOf(loadOf(entries, new Set()), ownerId)),
        load: Effect.all([all, pauses.get]).pipe(
          Effect.map(([entries, paused]) => loadOf(entries, new Set(paused.keys())))
        ),
        assignedTo: (nodeId) =>
          Effect.map(all, (entries) =>
            entries
              .filter((entry) => entry.state === "assigned" && entry.nodeId === nodeId)
              .map(({ executionId }) => executionId)
          ),
        expired: (now, limit) =>
          Effect.map(all, (entries) =>
            entries
              .filter(({ expiresAt, state }) => state !== "assigned" && DateTime.isLessThanOrEqualTo(expiresAt, now))
              .slice(0, limit)
          ),
        reprioritise: (id, priority, rankAt) =>
          change(
            id,
            (entry) => entry.state !== "assigned",
            (entry) => new QueueEntry({ ...entry, priority, rankAt })
          ),
        pause: (pause) =>
          pauses.modify((known) => [
            !known.has(pause.scope),
            known.has(pause.scope) ? known : new Map(known).set(pause.scope, pause)
          ]),
        resume: (scope) =>
          pauses.modify((known) => {
            const next = new Map(known)
            return [next.delete(scope), next]
          }),
        pauses: Effect.map(pauses.get, (known) => [...known.values()])
      })
    })
  )
}

const withoutNode = ({ nodeId: _, ...entry }: QueueEntry) => new QueueEntry(entry)

const matches = (entry: QueueEntry, { ownerId, runtime, state }: QueueFilter) =>
  (ownerId ?? entry.ownerId) === entry.ownerId &&
  (runtime ?? entry.runtime) === entry.runtime &&
  (state ?? entry.state) === entry.state
