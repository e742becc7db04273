/** Why a saga makes no progress, as far as rows tell. Pure. */
import { DateTime, Schema } from "effect"
import { type InstanceStatus, isAlive } from "../instances/Instance.ts"
import { isEnded, type Saga } from "./Saga.ts"
import type { SagaProgress } from "./SagaProgress.ts"

/**
 * `no_definition`: no instance that took it knows its definition. `no_instance_for_node`: no living instance serves its node.
 * `waiting_for_retry`: a step failed, and its next attempt is not due. `undo_failing`: what it did cannot be taken back so far.
 * `executor_silent`: the instance that executed it last is gone. `executor_failing`: instances take it again and again and write nothing.
 * `not_dispatched`: nobody is to execute it, or nobody has taken it yet.
 */
export const StuckReason = Schema.Literals([
  "no_definition",
  "no_instance_for_node",
  "waiting_for_retry",
  "undo_failing",
  "executor_silent",
  "executor_failing",
  "not_dispatched"
])
export type StuckReason = typeof StuckReason.Type

export interface Stuckness {
  readonly reason: StuckReason
  /** When the next attempt is due, where one is. */
  readonly retryAt?: DateTime.Utc
}

/** An instance that restarts takes its sagas again; more often than that they fail. */
const failingClaims = 5

/** How often instances took the saga since it last made progress. */
export const claimsWithoutProgress = ({ fence, lastEntry }: Pick<Saga, "fence" | "lastEntry">): number =>
  fence - (lastEntry?.fence ?? 0)

/**
 * `undefined` if it has ended, or if a living instance works on it, as on a script that runs for hours. To be asked of a saga that
 * has made no progress for some time and whose subject does not wait for its turn. `known`: whether this instance has its definition.
 */
export const whyStuck = (
  saga: Saga,
  { open, openUndo }: Pick<SagaProgress, "open" | "openUndo">,
  instances: ReadonlyArray<InstanceStatus>,
  known: boolean,
  now: DateTime.Utc
): Stuckness | undefined => {
  const { executor, nodeId, suspended, state } = saga
  const alive = instances.filter(isAlive)
  if (isEnded(state)) return undefined
  if (suspended === true) return { reason: "not_dispatched" }
  if (nodeId !== undefined && !alive.some(({ instance }) => instance.nodes.some((served) => served.nodeId === nodeId)))
    return { reason: "no_instance_for_node" }
  if (claimsWithoutProgress(saga) >= failingClaims) return { reason: known ? "executor_failing" : "no_definition" }
  if (executor === undefined) return { reason: "not_dispatched" }
  if (!alive.some(({ instance }) => instance.name === executor)) return { reason: "executor_silent" }
  if (openUndo?.failure !== undefined) return { reason: "undo_failing", ...due(openUndo.retryAt) }
  return state === "running" && open?.retryAt !== undefined && DateTime.isGreaterThan(open.retryAt, now)
    ? { reason: "waiting_for_retry", retryAt: open.retryAt }
    : undefined
}

const due = (retryAt: DateTime.Utc | undefined) => (retryAt === undefined ? {} : { retryAt })
