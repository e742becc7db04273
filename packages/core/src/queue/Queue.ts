/** Use cases on the queue: look at it, change a priority, stop new starts and let them go on. Assigning is the dispatcher's business. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { mayTouch, ownerFilter, type Principal } from "../auth/Principal.ts"
import type { RequestSource } from "../auth/RequestSource.ts"
import type { Permission } from "../auth/roles/Permission.ts"
import type { DomainEvent } from "../events/DomainEvent.ts"
import { EventFactory } from "../events/EventFactory.ts"
import { EventLog } from "../events/EventLog.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { executionStream } from "../ids/Subject.ts"
import { RuntimeKind } from "../runtime/Job.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Wakeups } from "../wakeups/Wakeups.ts"
import { queueTopic } from "./Enqueuer.ts"
import { QueueEntry, rankOf } from "./QueueEntry.ts"
import { QueueEntryNotFound, SlotAssigned } from "./QueueError.ts"
import { QueueEstimates, type QueuePosition } from "./QueueEstimates.ts"
import type { Pause, PauseScope } from "./QueueLoad.ts"
import { QueuePolicy } from "./QueuePolicy.ts"
import { QueueStats } from "./QueueStats.ts"
import { type QueueFilter, QueueStore } from "./QueueStore.ts"

/** The queue of one kind of runtime, of all users, as of at most a second ago. */
export interface RuntimeQueue {
  readonly runtime: RuntimeKind
  /** Entries that could run if a slot were free. */
  readonly waiting: number
  /** Entries that wait for their time or their key. */
  readonly held: number
  readonly running: number
  /** Slots on all living instances. */
  readonly capacity: number
  /** What the caller's next script would have to wait; absent while nobody can know. */
  readonly waitSeconds: number | undefined
}

export interface QueuePage {
  /** In the order of rank. */
  readonly entries: ReadonlyArray<QueueEntry>
  readonly total: number
  /** Runtimes that a living instance serves, or that somebody waits for. */
  readonly queues: ReadonlyArray<RuntimeQueue>
  readonly pauses: ReadonlyArray<Pause>
}

/** The stream of what is decided about the queue as a whole. */
export const queueStream = "queue"

export class Queue extends Context.Service<
  Queue,
  {
    /** Entries that the caller may see; numbers of the whole line. */
    list(caller: Principal, filter: QueueFilter): Effect.Effect<QueuePage, StorageError>
    get(
      caller: Principal,
      id: ExecutionId
    ): Effect.Effect<
      { readonly entry: QueueEntry; readonly position: QueuePosition },
      QueueEntryNotFound | StorageError
    >
    /** Where an execution stands that the caller was shown; none unless it waits. */
    position(id: ExecutionId): Effect.Effect<Option.Option<QueuePosition>, StorageError>
    /** Moves an entry to where it would be if it had been submitted with that priority. Fails with `SlotAssigned` once it has a slot. */
    reprioritise(
      caller: Principal,
      id: ExecutionId,
      priority: number,
      source: RequestSource
    ): Effect.Effect<
      { readonly entry: QueueEntry; readonly position: QueuePosition },
      QueueEntryNotFound | SlotAssigned | StorageError
    >
    /** No instance starts anything of that scope from now on; what runs goes on. Answers with the pause that holds, which may be an older one. */
    pause(
      caller: Principal,
      scope: PauseScope,
      reason: string,
      source: RequestSource
    ): Effect.Effect<Pause, StorageError>
    /** Ends the pause of exactly that scope; `false` if there was none. Instances start what waits at once. */
    resume(
      caller: Principal,
      scope: PauseScope,
      reason: string,
      source: RequestSource
    ): Effect.Effect<boolean, StorageError>
    /** Oldest first. */
    readonly pauses: Effect.Effect<ReadonlyArray<Pause>, StorageError>
  }
>()("@fairlead/core/queue/Queue") {
  static readonly layer = Layer.effect(
    Queue,
    Effect.gen(function* () {
      const [store, stats, estimates] = [yield* QueueStore, yield* QueueStats, yield* QueueEstimates]
      const [policy, storage, wakeups] = [yield* QueuePolicy, yield* Storage, yield* Wakeups]
      const [log, events] = [yield* EventLog, yield* EventFactory]

      const find = Effect.fnUntraced(function* (caller: Principal, permission: Permission, executionId: ExecutionId) {
        const found = yield* store.find(executionId)
        if (Option.isNone(found) || !mayTouch(caller, permission, found.value.ownerId))
          return yield* new QueueEntryNotFound({ executionId })
        return found.value
      })

      const record = Effect.fnUntraced(function* (
        stream: string,
        aggregateId: string,
        caller: Principal,
        source: RequestSource,
        event: DomainEvent
      ) {
        const made = yield* events.make({ ...source, aggregateId, userId: caller.userId }, event)
        yield* log.append(stream, [made])
      })

      const queueOf = Effect.fnUntraced(function* (caller: Principal, runtime: RuntimeKind) {
        const owners = (yield* stats.load).owners.filter((owner) => owner.runtime === runtime)
        const sum = (count: (owner: (typeof owners)[number]) => number) =>
          owners.reduce((total, owner) => total + count(owner), 0)
        const { waitSeconds } = yield* estimates.newcomer(caller.userId, runtime)
        return {
          runtime,
          waiting: sum(({ waiting }) => waiting),
          held: sum(({ blocked, delayed }) => blocked + delayed),
          running: sum(({ assigned }) => assigned),
          capacity: yield* estimates.capacity(runtime),
          waitSeconds
        }
      })
      const isUsed = ({ capacity, held, running, waiting }: RuntimeQueue) => capacity + held + running + waiting > 0

      return Queue.of({
        list: Effect.fn("Queue.list")(function* (caller, filter) {
          const reach = ownerFilter(caller, "executions:read")
          const foreign = reach !== undefined && filter.ownerId !== undefined && filter.ownerId !== reach
          const page = store.list({ ...filter, ownerId: reach ?? filter.ownerId })
          const queues = yield* Effect.forEach(RuntimeKind.literals, (runtime) => queueOf(caller, runtime))
          return {
            ...(foreign ? { entries: [], total: 0 } : yield* page),
            queues: queues.filter(isUsed),
            pauses: yield* store.pauses
          }
        }),
        get: Effect.fn("Queue.get")(function* (caller, id) {
          const entry = yield* find(caller, "executions:read", id)
          return { entry, position: yield* estimates.position(entry) }
        }),
        position: Effect.fn("Queue.position")(function* (id) {
          const entry = yield* store.find(id)
          if (Option.isNone(entry) || entry.value.state === "assigned") return Option.none()
          return Option.some(yield* estimates.position(entry.value))
        }),
        reprioritise: Effect.fn("Queue.reprioritise")(function* (caller, id, priority, source) {
          const before = yield* find(caller, "queue:write", id)
          const rankAt = rankOf(before.runAt ?? before.queuedAt, priority, policy.ageingMillis)
          yield* storage.transaction(
            Effect.gen(function* () {
              if (!(yield* store.reprioritise(id, priority, rankAt))) {
                const { executionId, nodeId } = yield* find(caller, "queue:write", id)
                return yield* new SlotAssigned({ executionId, ...(nodeId === undefined ? {} : { nodeId }) })
              }
              yield* record(executionStream(id), id, caller, source, {
                _tag: "ExecutionReprioritised",
                executionId: id,
                priority,
                previousPriority: before.priority,
                changedBy: caller.username
              })
            })
          )
          const entry = new QueueEntry({ ...before, priority, rankAt })
          return { entry, position: yield* estimates.position(entry) }
        }),
        pause: Effect.fn("Queue.pause")(function* (caller, scope, reason, source) {
          const pause: Pause = { scope, at: yield* DateTime.now, by: caller.username, reason }
          return yield* storage.transaction(
            Effect.gen(function* () {
              if (!(yield* store.pause(pause)))
                return (yield* store.pauses).find((holding) => holding.scope === scope) ?? pause
              const event = { _tag: "QueuePaused", scope, reason, pausedBy: caller.username } as const
              yield* record(queueStream, queueStream, caller, source, event)
              return pause
            })
          )
        }),
        resume: Effect.fn("Queue.resume")(function* (caller, scope, reason, source) {
          return yield* storage.transaction(
            Effect.gen(function* () {
              if (!(yield* store.resume(scope))) return false
              const event = { _tag: "QueueResumed", scope, reason, resumedBy: caller.username } as const
              yield* record(queueStream, queueStream, caller, source, event)
              yield* wakeups.send(queueTopic)
              return true
            })
          )
        }),
        pauses: store.pauses
      })
    })
  )
}
