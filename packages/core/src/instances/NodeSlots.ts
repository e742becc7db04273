/**
 * The nodes that this instance serves, and what runs there as far as it knows. Truth is in `QueueStore`; this memory lets a
 * script start without asking first, when nothing speaks against it.
 */
import { Clock, Context, Effect, Layer, Option, Queue } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { RuntimeKind } from "../runtime/Job.ts"
import { type NodeId, nodeIdOf, requirementOf } from "../runtime/NodeId.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"

export interface LocalNode {
  readonly nodeId: NodeId
  readonly runtime: RuntimeKind
  readonly capabilities: ReadonlyArray<string>
  readonly capacity: number
}

/** A reservation that no row confirms after this time was not used. */
const reservationMillis = 10_000

export class NodeSlots extends Context.Service<
  NodeSlots,
  {
    /** One for each runtime of this instance. */
    readonly nodes: Effect.Effect<ReadonlyArray<LocalNode>>
    /** Whether its runtime starts anything at this moment. */
    isOpen(nodeId: NodeId): Effect.Effect<boolean>
    /** Takes a slot if one seems to be free; it is given back by `release`. Takes none before the node was learnt of. */
    reserve(nodeId: NodeId, executionId: ExecutionId): Effect.Effect<boolean>
    /** Counts executions that the store assigned there. Call it before that is committed, so that no slot is taken twice. */
    acquire(nodeId: NodeId, executionIds: ReadonlyArray<ExecutionId>): Effect.Effect<void>
    /** No effect if it holds none. */
    release(executionId: ExecutionId): Effect.Effect<void>
    /** What the store knows of a node; reservations of the last 10 s stay. */
    reconcile(nodeId: NodeId, assigned: ReadonlyArray<ExecutionId>): Effect.Effect<void>
    running(nodeId: NodeId): Effect.Effect<number>
    /** Waits for a slot to be given back since the last wait; for one reader. */
    readonly released: Effect.Effect<void>
    /** Mean duration between `reserve` or admission and `release`, of late; none before the first. */
    readonly meanRunMillis: Effect.Effect<Option.Option<number>>
  }
>()("@fairlead/core/instances/NodeSlots") {
  /** `capacity`: scripts that run at once on each node. */
  static readonly layer = (capacity: number) =>
    Layer.effect(
      NodeSlots,
      Effect.gen(function* () {
        const runtimes = yield* ScriptRuntimes
        const held = new Map<NodeId, Map<ExecutionId, number>>()
        const released = yield* Queue.sliding<void>(1)
        let meanRunMillis: number | undefined

        const at = (nodeId: NodeId) => {
          const known = held.get(nodeId)
          if (known !== undefined) return known
          const made = new Map<ExecutionId, number>()
          held.set(nodeId, made)
          return made
        }
        /** Newer durations weigh more: each counts for a tenth. */
        const note = (millis: number) => {
          meanRunMillis = meanRunMillis === undefined ? millis : meanRunMillis * 0.9 + millis * 0.1
        }

        const isOpen = Effect.fnUntraced(function* (nodeId: NodeId) {
          const runtime = (yield* runtimes.all).find((each) => nodeIdOf(each) === nodeId)
          return runtime?.obstacle === undefined || (yield* runtime.obstacle) === undefined
        })

        return NodeSlots.of({
          isOpen,
          nodes: Effect.map(runtimes.all, (all) =>
            all.map((runtime) => ({
              nodeId: nodeIdOf(runtime),
              runtime: runtime.kind,
              capabilities: runtime.languages.flatMap(({ name, versions }) =>
                versions.map((version) => requirementOf(runtime.kind, name, version))
              ),
              capacity
            }))
          ),
          reserve: Effect.fnUntraced(function* (nodeId, executionId) {
            const slots = held.get(nodeId)
            if (slots === undefined || slots.size >= capacity || !(yield* isOpen(nodeId))) return false
            slots.set(executionId, yield* Clock.currentTimeMillis)
            return true
          }),
          acquire: (nodeId, executionIds) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              for (const executionId of executionIds) at(nodeId).set(executionId, now)
            }),
          release: (executionId) =>
            Effect.flatMap(Clock.currentTimeMillis, (now) => {
              for (const slots of held.values()) {
                const since = slots.get(executionId)
                if (since !== undefined) note(now - since)
                slots.delete(executionId)
              }
              return Effect.asVoid(Queue.offer(released, undefined))
            }),
          reconcile: (nodeId, assigned) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              const before = held.get(nodeId) ?? new Map<ExecutionId, number>()
              const fresh = [...before].filter(([, since]) => now - since < reservationMillis)
              held.set(nodeId, new Map([...assigned.map((id) => [id, before.get(id) ?? now] as const), ...fresh]))
            }),
          running: (nodeId) => Effect.sync(() => held.get(nodeId)?.size ?? 0),
          released: Queue.take(released),
          meanRunMillis: Effect.sync(() => Option.fromUndefinedOr(meanRunMillis))
        })
      })
    )
}
