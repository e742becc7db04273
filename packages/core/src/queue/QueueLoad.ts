/** How full the queue is, and what that means for somebody who joins it. Pure. */
import { type DateTime, Schema } from "effect"
import type { UserId } from "../ids/UserId.ts"
import { RuntimeKind } from "../runtime/Job.ts"
import type { NodeId } from "../runtime/NodeId.ts"
import type { QueueEntry, QueueState } from "./QueueEntry.ts"

/** What stops new starts: everything, or one kind of runtime. */
export const PauseScope = Schema.Literals(["all", ...RuntimeKind.literals])
export type PauseScope = typeof PauseScope.Type

export interface Pause {
  readonly scope: PauseScope
  readonly at: DateTime.Utc
  /** A username. */
  readonly by: string
  readonly reason: string
}

export interface QueueLoad {
  /** A line for each owner and kind of runtime that has any entries. */
  readonly owners: ReadonlyArray<{
    readonly ownerId: UserId
    readonly runtime: RuntimeKind
    /** Entries that could run if a slot were free. */
    readonly waiting: number
    /** Entries that wait for their time. */
    readonly delayed: number
    /** Entries that wait for their key. */
    readonly blocked: number
    readonly assigned: number
  }>
  /** Assigned entries by node. */
  readonly nodes: ReadonlyMap<NodeId, number>
  readonly paused: ReadonlySet<PauseScope>
}

export const loadOf = (entries: ReadonlyArray<QueueEntry>, paused: ReadonlySet<PauseScope>): QueueLoad => {
  const groups = new Map<string, Array<QueueEntry>>()
  for (const entry of entries) {
    const name = `${entry.ownerId}/${entry.runtime}`
    groups.set(name, [...(groups.get(name) ?? []), entry])
  }
  const owners = [...groups.values()].flatMap((group) => {
    const count = (wanted: QueueState) => group.filter(({ state }) => state === wanted).length
    return group.slice(0, 1).map(({ ownerId, runtime }) => ({
      ownerId,
      runtime,
      waiting: count("waiting"),
      delayed: count("delayed"),
      blocked: count("blocked"),
      assigned: count("assigned")
    }))
  })
  const nodes = new Map<NodeId, number>()
  for (const { nodeId, state } of entries)
    if (state === "assigned" && nodeId !== undefined) nodes.set(nodeId, (nodes.get(nodeId) ?? 0) + 1)
  return { owners, nodes, paused }
}

/** How many entries there are, of one owner or of everybody. */
export interface QueueCounts {
  /** That wait for a slot or their key, or run. */
  readonly active: number
  /** That wait for their time. */
  readonly planned: number
}

export const countsOf = ({ owners }: QueueLoad, ownerId?: UserId): QueueCounts => {
  const counted = owners.filter((owner) => owner.ownerId === (ownerId ?? owner.ownerId))
  return {
    active: counted.reduce((sum, { assigned, blocked, waiting }) => sum + assigned + blocked + waiting, 0),
    planned: counted.reduce((sum, { delayed }) => sum + delayed, 0)
  }
}

export const waitingIn = (load: QueueLoad, runtime: RuntimeKind): number =>
  load.owners.reduce((sum, owner) => sum + (owner.runtime === runtime ? owner.waiting : 0), 0)

export const isPaused = ({ paused }: QueueLoad, runtime: RuntimeKind): boolean =>
  paused.has("all") || paused.has(runtime)

/**
 * Entries that start before one of `ownerId` that has `ownAhead` of its owner's entries in front of it. Each other user gets
 * turns until they have as many running as this one would; an estimate, because priorities shift turns among equals.
 */
export const aheadOf = (load: QueueLoad, runtime: RuntimeKind, ownerId: UserId, ownAhead: number): number => {
  const ofKind = load.owners.filter((owner) => owner.runtime === runtime)
  const mine = ofKind.find((owner) => owner.ownerId === ownerId)?.assigned ?? 0
  return ofKind
    .filter((owner) => owner.ownerId !== ownerId)
    .reduce(
      (sum, { assigned, waiting }) => sum + Math.min(waiting, Math.max(0, mine + ownAhead + 1 - assigned)),
      ownAhead
    )
}

/** Seconds until a slot is free for the one with `ahead` before it; `undefined` while nothing is known of how long scripts take. */
export const waitSeconds = (ahead: number, capacity: number, meanRunMillis: number | undefined): number | undefined =>
  meanRunMillis === undefined || capacity <= 0
    ? undefined
    : Math.round((Math.ceil((ahead + 1) / capacity) * meanRunMillis) / 1000)

/** Seconds after which a refused request may be worth another try: 1 to 300. */
export const retrySeconds = (
  { owners, paused }: QueueLoad,
  ownerId: UserId | undefined,
  capacity: number,
  meanRunMillis: number | undefined
): number => {
  const counted = owners.filter((owner) => owner.ownerId === (ownerId ?? owner.ownerId))
  const running = counted.reduce((sum, { assigned }) => sum + assigned, 0)
  // Room comes with an end. While nothing may start, ends become rare; while none of theirs runs, one has to start first.
  if (running === 0 && paused.size > 0) return longestRetrySeconds
  if (meanRunMillis === undefined) return unknownRetrySeconds
  const everybody = owners.reduce((sum, { assigned }) => sum + assigned, 0)
  const untilEnd = running > 0 ? meanRunMillis / running : meanRunMillis * (1 + everybody / Math.max(1, capacity))
  return Math.min(longestRetrySeconds, Math.max(1, Math.ceil(untilEnd / 1000)))
}

const longestRetrySeconds = 300
/** While nothing is known of how long scripts take. */
const unknownRetrySeconds = 5
