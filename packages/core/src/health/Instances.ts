/** Use case on instances: who shares this database, and how much runs where. */
import { Context, Effect, Layer } from "effect"
import { type InstanceStatus, isAlive, type ServedNode } from "../instances/Instance.ts"
import { InstanceRegistry } from "../instances/InstanceRegistry.ts"
import { QueueStats } from "../queue/QueueStats.ts"
import type { StorageError } from "../storage/StorageError.ts"

export interface InstanceReport extends InstanceStatus {
  readonly alive: boolean
  /** `running`: scripts that have a slot there, of all instances that serve the node. */
  readonly nodes: ReadonlyArray<ServedNode & { readonly running: number }>
}

export class Instances extends Context.Service<
  Instances,
  {
    /** At most 1,000, the latest heard of first; those that left within the last day included. */
    readonly list: Effect.Effect<ReadonlyArray<InstanceReport>, StorageError>
  }
>()("@fairlead/core/health/Instances") {
  static readonly layer = Layer.effect(
    Instances,
    Effect.gen(function* () {
      const [registry, stats] = [yield* InstanceRegistry, yield* QueueStats]
      return Instances.of({
        list: Effect.gen(function* () {
          const { nodes } = yield* stats.load
          return (yield* registry.list).map((seen) => ({
            ...seen,
            alive: isAlive(seen),
            nodes: seen.instance.nodes.map((served) => ({ ...served, running: nodes.get(served.nodeId) ?? 0 }))
          }))
        }).pipe(Effect.withSpan("Instances.list"))
      })
    })
  )
}
