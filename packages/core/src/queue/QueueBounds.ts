/**
 * How many executions an instance accepts that have not ended, and of whom. Pure. What is planned for later is counted apart, so that it
 * takes no room from what may run now. The last rooms are kept for users who have little in the queue, and the very last for
 * administrators: however many accounts somebody fills the queue with, others still get in.
 */
import type { QueueCounts } from "./QueueLoad.ts"

export interface QueueBounds {
  /** Executions of everybody that have not ended and are not planned for later. */
  readonly maxActive: number
  readonly maxActivePerUser: number
  /** Executions of everybody whose `runAt` has not come. */
  readonly maxPlanned: number
  readonly maxPlannedPerUser: number
}

export const defaultQueueBounds: QueueBounds = {
  maxActive: 10_000,
  maxActivePerUser: 1_000,
  maxPlanned: 10_000,
  maxPlannedPerUser: 500
}

export interface QueueNewcomer {
  readonly isPlanned: boolean
  readonly isAdmin: boolean
  /** What its owner has in the queue. */
  readonly own: QueueCounts
  /** What everybody has there, the owner included. */
  readonly everybody: QueueCounts
}

/** The bound that a newcomer meets. */
export interface QueueRefusal {
  readonly scope: "user" | "planned" | "host"
  readonly maximum: number
}

/** Share of the room that users with much in the queue may fill together. */
const heavyShare = 0.8
/** Share that is left to administrators. */
const adminShare = 0.01
/** Share of a user's own bound below which they count as having little. */
const littleShare = 0.01

/** `undefined`: there is room. Users below a hundredth of their own bound, and administrators, go beyond the bounds of their kind. */
export const refusalOf = (newcomer: QueueNewcomer, bounds: QueueBounds): QueueRefusal | undefined => {
  const { everybody, isAdmin, isPlanned, own } = newcomer
  const { maxActive, maxActivePerUser, maxPlanned, maxPlannedPerUser } = bounds
  const ofOwner: Bound = isPlanned
    ? ["planned", own.planned, maxPlannedPerUser]
    : ["user", own.active, maxActivePerUser]
  const ofKind: Bound = isPlanned
    ? ["host", everybody.planned, Math.ceil(maxPlanned * heavyShare)]
    : ["host", everybody.active, Math.ceil(maxActive * heavyShare)]
  const room = maxActive + maxPlanned
  const ofAll: Bound = [
    "host",
    everybody.active + everybody.planned,
    isAdmin ? room : Math.ceil(room * (1 - adminShare))
  ]
  const hasLittle = own.active + own.planned < littleShare * maxActivePerUser
  const met = [ofOwner, ...(isAdmin || hasLittle ? [] : [ofKind]), ofAll].find(([, count, maximum]) => count >= maximum)
  return met && { scope: met[0], maximum: met[2] }
}

/** Whose executions are counted, how many there are, and how many there may be. */
type Bound = readonly [QueueRefusal["scope"], count: number, maximum: number]
