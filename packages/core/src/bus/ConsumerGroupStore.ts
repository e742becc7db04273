/**
 * What a bus over the event log remembers: each group's place and who may move it, and the deliveries that failed. Only `Bus`
 * uses it. The right to move a group is a lease with a number (fence) that each claim raises; a write with an older one does nothing.
 */
import { Clock, Context, DateTime, Effect, Layer, Option } from "effect"
import { type EventCursor, EventLog } from "../events/EventLog.ts"
import type { EventId } from "../ids/EventId.ts"
import { MemoryDatabase } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { type BusGroup, Delivery } from "./Delivery.ts"

export interface BusLease {
  readonly group: BusGroup
  readonly fence: number
}

/** A lease as it was claimed, with the node from which to go on. */
export interface ClaimedGroup extends BusLease {
  readonly cursor: EventCursor | undefined
}

/** What a holder has done: taken, and still to take or dead. Everything up to `cursor` is one or the other. */
export interface BusProgress {
  readonly cursor: EventCursor | undefined
  /** Deliveries that are taken now. */
  readonly taken: ReadonlyArray<EventId>
  /** Deliveries that are new or have changed. */
  readonly kept: ReadonlyArray<Delivery>
}

export class ConsumerGroupStore extends Context.Service<
  ConsumerGroupStore,
  {
    /** Makes the group, at the beginning of the log or behind what can be read now. One that exists stays where it is. */
    register(group: BusGroup, from: "now" | "beginning"): Effect.Effect<void, StorageError>
    /** Takes the lease of a group if nobody holds it, or whoever did let it lapse. One atomic step, by the clock of the store. */
    claim(group: BusGroup, leaseMillis: number): Effect.Effect<Option.Option<ClaimedGroup>, StorageError>
    /** Lets the lease run `leaseMillis` from now; false when it is another's. */
    renew(lease: BusLease, leaseMillis: number): Effect.Effect<boolean, StorageError>
    /** Gives the lease back; nothing happens when it is another's. */
    release(lease: BusLease): Effect.Effect<void, StorageError>
    /**
     * The oldest delivery of each stream that is to be retried, if it is due at `now`; at most `limit`, longest due first. `size`
     * counts all that are to be retried.
     */
    backlog(
      group: BusGroup,
      now: DateTime.Utc,
      limit: number
    ): Effect.Effect<{ readonly due: ReadonlyArray<Delivery>; readonly size: number }, StorageError>
    /** Those of `streams` that have a delivery to be retried; at most 1,000 streams. */
    blocked(group: BusGroup, streams: ReadonlyArray<string>): Effect.Effect<ReadonlySet<string>, StorageError>
    /** Writes all of it, or nothing: false when the lease is another's. */
    commit(lease: BusLease, progress: BusProgress): Effect.Effect<boolean, StorageError>
    /** Dead deliveries, last died first; `total` counts them all. */
    dead(
      group: BusGroup,
      limit: number,
      offset: number
    ): Effect.Effect<{ readonly deliveries: ReadonlyArray<Delivery>; readonly total: number }, StorageError>
    /** Makes a dead delivery one that was never tried, or forgets it. False when there is none. */
    finalize(
      group: BusGroup,
      eventId: EventId,
      verdict: "redrive" | "discard",
      now: DateTime.Utc
    ): Effect.Effect<boolean, StorageError>
  }
>()("@fairlead/core/bus/ConsumerGroupStore") {
  static readonly layerMemory = Layer.effect(
    ConsumerGroupStore,
    Effect.gen(function* () {
      const { table, transaction } = yield* MemoryDatabase
      const log = yield* EventLog
      const groups = table<ReadonlyMap<BusGroup, GroupRow>>(new Map())
      const deliveries = table<ReadonlyMap<string, Delivery>>(new Map())
      const inState = (group: BusGroup, state: Delivery["state"]) =>
        Effect.map(deliveries.get, (rows) =>
          [...rows.values()].filter((row) => row.group === group && row.state === state)
        )
      /** Changes the row of a group while the lease holds. */
      const whileHeld = ({ fence, group }: BusLease, change: (row: GroupRow) => GroupRow) =>
        groups.modify((rows): readonly [boolean, ReadonlyMap<BusGroup, GroupRow>] => {
          const row = rows.get(group)
          if (row === undefined || row.fence !== fence || row.leaseUntil === undefined) return [false, rows]
          return [true, new Map(rows).set(group, change(row))]
        })

      const endOfLog = Effect.gen(function* () {
        let cursor: EventCursor | undefined
        while (true) {
          const page = yield* log.readAll(cursor, 1_000)
          if (page.events.length === 0) return cursor
          cursor = page.next
        }
      })

      return ConsumerGroupStore.of({
        register: Effect.fnUntraced(function* (group, from) {
          const cursor = from === "now" ? yield* endOfLog : undefined
          yield* groups.modify((rows) => [
            undefined,
            rows.has(group) ? rows : new Map(rows).set(group, { cursor, fence: 0, leaseUntil: undefined })
          ])
        }),
        claim: Effect.fnUntraced(function* (group, leaseMillis) {
          const now = yield* Clock.currentTimeMillis
          return yield* groups.modify((rows) => {
            const row = rows.get(group)
            if (row === undefined || (row.leaseUntil ?? now) > now) return [Option.none<ClaimedGroup>(), rows]
            const fence = row.fence + 1
            const claimed = new Map(rows).set(group, { ...row, fence, leaseUntil: now + leaseMillis })
            return [Option.some({ group, fence, cursor: row.cursor }), claimed]
          })
        }),
        renew: Effect.fnUntraced(function* (lease, leaseMillis) {
          const leaseUntil = (yield* Clock.currentTimeMillis) + leaseMillis
          return yield* whileHeld(lease, (row) => ({ ...row, leaseUntil }))
        }),
        release: (lease) => Effect.asVoid(whileHeld(lease, (row) => ({ ...row, leaseUntil: undefined }))),
        backlog: Effect.fnUntraced(function* (group, now, limit) {
          const rows = yield* inState(group, "retry")
          const oldest = new Map<string, Delivery>()
          for (const row of rows)
            if (row.streamVersion < (oldest.get(row.stream)?.streamVersion ?? Infinity)) oldest.set(row.stream, row)
          const due = [...oldest.values()]
            .filter(({ visibleAt }) => DateTime.isLessThanOrEqualTo(visibleAt, now))
            .sort((a, b) => DateTime.Order(a.visibleAt, b.visibleAt))
          return { due: due.slice(0, limit), size: rows.length }
        }),
        blocked: (group, streams) =>
          Effect.map(inState(group, "retry"), (rows) => {
            const all = new Set(rows.map(({ stream }) => stream))
            return new Set(streams.filter((stream) => all.has(stream)))
          }),
        commit: (lease, { cursor, kept, taken }) =>
          transaction(
            Effect.gen(function* () {
              if (!(yield* whileHeld(lease, (row) => ({ ...row, cursor })))) return false
              const gone = new Set(taken.map((eventId) => keyOf(lease.group, eventId)))
              yield* deliveries.modify((rows) => {
                const left = [...rows].filter(([key]) => !gone.has(key))
                return [
                  undefined,
                  new Map([...left, ...kept.map((row) => [keyOf(row.group, row.eventId), row] as const)])
                ]
              })
              return true
            })
          ),
        dead: (group, limit, offset) =>
          Effect.map(inState(group, "dead"), (rows) => ({
            deliveries: rows.sort(lastDiedFirst).slice(offset, offset + limit),
            total: rows.length
          })),
        finalize: (group, eventId, verdict, now) =>
          deliveries.modify((rows) => {
            const key = keyOf(group, eventId)
            const row = rows.get(key)
            if (row?.state !== "dead") return [false, rows]
            const others = new Map([...rows].filter(([other]) => other !== key))
            return [true, verdict === "discard" ? others : others.set(key, redriven(row, now))]
          })
      })
    })
  )
}

interface GroupRow {
  readonly cursor: EventCursor | undefined
  readonly fence: number
  readonly leaseUntil: number | undefined
}

const keyOf = (group: BusGroup, eventId: EventId) => `${group}/${eventId}`

const redriven = (row: Delivery, now: DateTime.Utc) =>
  new Delivery({ ...row, state: "retry", attempts: 0, visibleAt: now, updatedAt: now })

const lastDiedFirst = (a: Delivery, b: Delivery) =>
  DateTime.Order(b.updatedAt, a.updatedAt) || (a.eventId < b.eventId ? 1 : -1)
