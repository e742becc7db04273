/** Port: which instances share this database, and when each was heard of last. */
import { Clock, Context, Effect, Layer } from "effect"
import type { InstanceId } from "../ids/InstanceId.ts"
import { MemoryDatabase, sharedTable } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Instance, InstanceStatus } from "./Instance.ts"

export class InstanceStore extends Context.Service<
  InstanceStore,
  {
    /** Records that the instance is there now, by the store's own clock, so that clocks of instances need not agree. */
    heartbeat(instance: Instance): Effect.Effect<void, StorageError>
    /** At most 1,000, the latest heard of first. */
    readonly list: Effect.Effect<ReadonlyArray<InstanceStatus>, StorageError>
    /** Forgets instances that have been silent for `sinceHeartbeatMillis` or longer; how many. */
    forget(sinceHeartbeatMillis: number): Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/instances/InstanceStore") {
  static readonly layerMemory = Layer.effect(
    InstanceStore,
    Effect.map(MemoryDatabase, (database) => {
      const rows = instanceRows(database)
      const seen = Effect.all([rows.get, Clock.currentTimeMillis]).pipe(
        Effect.map(([known, now]) =>
          [...known.values()]
            .map(({ atMillis, instance }): InstanceStatus => ({ instance, sinceHeartbeatMillis: now - atMillis }))
            .sort((a, b) => a.sinceHeartbeatMillis - b.sinceHeartbeatMillis)
        )
      )
      return InstanceStore.of({
        heartbeat: (instance) =>
          Effect.flatMap(Clock.currentTimeMillis, (atMillis) =>
            rows.modify((known) => [undefined, new Map(known).set(instance.instanceId, { instance, atMillis })])
          ),
        list: Effect.map(seen, (instances) => instances.slice(0, 1_000)),
        forget: (sinceHeartbeatMillis) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            rows.modify((known) => {
              const kept = new Map([...known].filter(([, { atMillis }]) => now - atMillis < sinceHeartbeatMillis))
              return [known.size - kept.size, kept]
            })
          )
      })
    })
  )
}

const instanceRows = sharedTable<ReadonlyMap<InstanceId, { readonly instance: Instance; readonly atMillis: number }>>(
  new Map()
)
