/**
 * An execution's position in the queue, from its acceptance to its end. Pure.
 *
 *   delayed ──▶ blocked ──▶ waiting ──▶ assigned ──▶ (gone with the end of the execution)
 *
 * `delayed` until its time has come, `blocked` while another of the same concurrency key is in front of it, `waiting` for a
 * slot, `assigned` once it has one. What needs no delay and no key begins as `waiting`.
 */
import { DateTime, Schema } from "effect"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { SagaId } from "../ids/SagaId.ts"
import { UserId } from "../ids/UserId.ts"
import { RuntimeKind } from "../runtime/Job.ts"
import { NodeId } from "../runtime/NodeId.ts"
import { Priority } from "./Priority.ts"

export const QueueState = Schema.Literals(["delayed", "blocked", "waiting", "assigned"])
export type QueueState = typeof QueueState.Type

/** Names what must not run side by side; of one user. */
export const ConcurrencyKey = Schema.String.check(Schema.isPattern(/^[\x20-\x7e]{1,128}$/u))

export class QueueEntry extends Schema.Class<QueueEntry>("QueueEntry")({
  executionId: ExecutionId,
  sagaId: SagaId,
  ownerId: UserId,
  runtime: RuntimeKind,
  /** What a node must offer to run it; see `NodeId.requirementOf`. */
  requirement: Schema.String,
  priority: Priority,
  state: QueueState,
  /** Where it stands among the entries of its owner: the earliest goes first. */
  rankAt: Schema.DateTimeUtcFromString,
  queuedAt: Schema.DateTimeUtcFromString,
  /** Not before; absent: at once. */
  runAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** It leaves the queue unrun at this time. */
  expiresAt: Schema.DateTimeUtcFromString,
  concurrencyKey: Schema.optionalKey(ConcurrencyKey),
  /** Where it runs; present once assigned. */
  nodeId: Schema.optionalKey(NodeId)
}) {}

/**
 * A priority counts as waiting time: one step is worth `ageingMillis`. So the order of two entries never changes, it fits an
 * index, and whatever waits long enough goes first: nothing starves.
 */
export const rankOf = (since: DateTime.Utc, priority: number, ageingMillis: number): DateTime.Utc =>
  DateTime.add(since, { milliseconds: priority * ageingMillis })

/** The state in which an entry joins the queue. */
export const firstState = (
  entry: { readonly runAt?: DateTime.Utc | undefined; readonly concurrencyKey?: string | undefined },
  now: DateTime.Utc
): QueueState => {
  if (entry.runAt !== undefined && DateTime.isGreaterThan(entry.runAt, now)) return "delayed"
  return entry.concurrencyKey === undefined ? "waiting" : "blocked"
}
