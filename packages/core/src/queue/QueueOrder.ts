/**
 * Who runs next. Pure, and the specification that every `QueueStore` follows: slots go to the user who has the fewest scripts
 * running, and among that user's scripts to the earliest rank. So one user's thousand scripts delay another's single one by a
 * slot at most, and a priority orders one's own scripts, and users who have equally much.
 */
import { DateTime, Order } from "effect"
import type { UserId } from "../ids/UserId.ts"
import type { RuntimeKind } from "../runtime/Job.ts"
import type { NodeId } from "../runtime/NodeId.ts"
import { QueueEntry } from "./QueueEntry.ts"

/** A place that has room. */
export interface NodeOffer {
  readonly nodeId: NodeId
  readonly runtime: RuntimeKind
  /** What it can run; see `NodeId.requirementOf`. */
  readonly capabilities: ReadonlyArray<string>
  /** Scripts that may run there at once. */
  readonly capacity: number
  /** Most entries to assign now, 1 to 100. */
  readonly limit: number
}

/** Limits on what runs at once, everywhere; absent ones do not limit. */
export interface QueueLimits {
  readonly perUser?: number | undefined
  readonly perRuntime?: Partial<Record<RuntimeKind, number>> | undefined
}

/** The entries with what is due made ready: delays that are over, and keys that are free. */
export const readied = (entries: ReadonlyArray<QueueEntry>, now: DateTime.Utc): ReadonlyArray<QueueEntry> => {
  const due = entries.map((entry) =>
    entry.state === "delayed" && DateTime.isLessThanOrEqualTo(entry.runAt ?? now, now)
      ? withState(entry, entry.concurrencyKey === undefined ? "waiting" : "blocked")
      : entry
  )
  const taken = new Set(
    due.filter(({ state }) => state === "waiting" || state === "assigned").flatMap((entry) => keyOf(entry) ?? [])
  )
  const ready = new Set<QueueEntry>()
  for (const entry of due.filter(({ state }) => state === "blocked").sort(byRank)) {
    const key = keyOf(entry)
    if (key === undefined || taken.has(key)) continue
    taken.add(key)
    ready.add(entry)
  }
  return due.map((entry) => (ready.has(entry) ? withState(entry, "waiting") : entry))
}

/** The entries to assign, in order. `entries` are all there are, `readied` before. */
export const nextToRun = (
  entries: ReadonlyArray<QueueEntry>,
  offer: NodeOffer,
  limits: QueueLimits
): ReadonlyArray<QueueEntry> => {
  const assigned = entries.filter(({ state }) => state === "assigned")
  const running = new Map<UserId, number>()
  for (const { ownerId } of assigned) running.set(ownerId, (running.get(ownerId) ?? 0) + 1)
  const waiting = entries
    .filter(({ requirement, state }) => state === "waiting" && offer.capabilities.includes(requirement))
    .sort(byRank)
  const chosen: Array<QueueEntry> = []
  const room = roomOf(assigned, offer, limits)
  while (chosen.length < room) {
    const next = waiting
      .filter((entry) => !chosen.includes(entry) && (running.get(entry.ownerId) ?? 0) < (limits.perUser ?? Infinity))
      .reduce<QueueEntry | undefined>(
        (best, entry) =>
          best === undefined || (running.get(entry.ownerId) ?? 0) < (running.get(best.ownerId) ?? 0) ? entry : best,
        undefined
      )
    if (next === undefined) break
    chosen.push(next)
    running.set(next.ownerId, (running.get(next.ownerId) ?? 0) + 1)
  }
  return chosen
}

const roomOf = (assigned: ReadonlyArray<QueueEntry>, offer: NodeOffer, { perRuntime }: QueueLimits): number => {
  const here = assigned.filter(({ nodeId }) => nodeId === offer.nodeId).length
  const ofKind = assigned.filter(({ runtime }) => runtime === offer.runtime).length
  return Math.min(offer.limit, offer.capacity - here, (perRuntime?.[offer.runtime] ?? Infinity) - ofKind)
}

export const withState = (entry: QueueEntry, state: QueueEntry["state"]) => new QueueEntry({ ...entry, state })

/** The earliest rank first; of one rank the older execution. */
export const byRank: Order.Order<QueueEntry> = Order.combine(
  Order.mapInput(DateTime.Order, ({ rankAt }: QueueEntry) => rankAt),
  Order.mapInput(Order.String, ({ executionId }: QueueEntry) => executionId)
)

const keyOf = ({ concurrencyKey, ownerId }: QueueEntry): string | undefined =>
  concurrencyKey === undefined ? undefined : `${ownerId}/${concurrencyKey}`
