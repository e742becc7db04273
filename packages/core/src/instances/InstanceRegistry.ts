/** Makes this instance known to the others, and knows which of them live: asked of the store every 2 s. */
import { Clock, Context, DateTime, Effect, Layer, Ref } from "effect"
import { Ids } from "../ids/Ids.ts"
import { InstanceId } from "../ids/InstanceId.ts"
import type { NodeId } from "../runtime/NodeId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Instance, type InstanceStatus, isAlive } from "./Instance.ts"
import { InstanceStore } from "./InstanceStore.ts"
import { NodeSlots } from "./NodeSlots.ts"

const heartbeatMillis = 2_000
/** Longer than this between two heartbeats counts as a gap: the store was away, or this process was. */
const gapMillis = 6_000
/** Instances that nobody heard of for a day are forgotten. */
const forgottenMillis = 24 * 3_600_000

export class InstanceRegistry extends Context.Service<
  InstanceRegistry,
  {
    readonly instanceId: InstanceId
    /** Of this instance, in what it writes. */
    readonly name: string
    /** As of at most 2 s ago, this instance included; older while the store does not answer. */
    readonly seen: Effect.Effect<ReadonlyArray<InstanceStatus>>
    /** As the store has it now: at most 1,000, the latest heartbeat first; for a day also those that are gone. */
    readonly list: Effect.Effect<ReadonlyArray<InstanceStatus>, StorageError>
    /** Whether another living instance serves the node. */
    shares(nodeId: NodeId): Effect.Effect<boolean>
    /** How long the store has answered this instance without a gap. */
    readonly steadyMillis: Effect.Effect<number>
    /** Tells the others that this instance takes no more work. */
    readonly leave: Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/instances/InstanceRegistry") {
  /** Sends a heartbeat before it is there, so that nobody takes this instance's nodes for deserted. Says good-bye when the scope closes. */
  static readonly layer = ({ name, version }: { readonly name: string; readonly version: string }) =>
    Layer.effect(
      InstanceRegistry,
      Effect.gen(function* () {
        const [store, slots, ids] = [yield* InstanceStore, yield* NodeSlots, yield* Ids]
        const instanceId = InstanceId.make(yield* ids.uuid)
        const startedAt = yield* DateTime.now
        const seen = yield* Ref.make<ReadonlyArray<InstanceStatus>>([])
        const draining = yield* Ref.make(false)

        const heartbeat = Effect.gen(function* () {
          const nodes = (yield* slots.nodes).map(({ capacity, nodeId, runtime }) => ({ nodeId, runtime, capacity }))
          yield* store.heartbeat(
            new Instance({ instanceId, name, version, startedAt, nodes, draining: yield* Ref.get(draining) })
          )
          yield* Ref.set(seen, yield* store.list)
        })
        const leave = Effect.andThen(Ref.set(draining, true), heartbeat)
        let [steadySince, lastHeartbeat] = [0, 0]
        const noteHeartbeat = Effect.map(Clock.currentTimeMillis, (now) => {
          if (now - lastHeartbeat > gapMillis) steadySince = now
          lastHeartbeat = now
        })
        const retried = Effect.andThen(heartbeat, noteHeartbeat).pipe(
          Effect.catchTag("StorageError", (error) => Effect.logWarning("Heartbeat failed; retrying.", error))
        )

        yield* Effect.andThen(heartbeat, noteHeartbeat)
        yield* store.forget(forgottenMillis)
        yield* Effect.forkScoped(Effect.forever(Effect.delay(retried, heartbeatMillis)))
        yield* Effect.addFinalizer(() =>
          leave.pipe(
            Effect.timeoutOption("2 seconds"),
            Effect.catchTag("StorageError", (error) => Effect.logWarning("Could not deregister this instance.", error))
          )
        )

        return InstanceRegistry.of({
          instanceId,
          name,
          seen: Ref.get(seen),
          list: store.list,
          steadyMillis: Effect.map(Clock.currentTimeMillis, (now) =>
            now - lastHeartbeat > gapMillis ? 0 : now - steadySince
          ),
          shares: (nodeId) =>
            Effect.map(Ref.get(seen), (instances) =>
              instances.some(
                (other) =>
                  other.instance.instanceId !== instanceId &&
                  isAlive(other) &&
                  other.instance.nodes.some((served) => served.nodeId === nodeId)
              )
            ),
          leave
        })
      })
    )
}
