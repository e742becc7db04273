/** Use case on hosts: who shares this database, and how much runs where. */
import { Context, Effect, Layer } from "effect"
import { isAlive, type SeenHost, type ServedPlace } from "../hosts/Host.ts"
import { HostStore } from "../hosts/HostStore.ts"
import { QueueGauge } from "../queue/QueueGauge.ts"
import type { StorageError } from "../storage/StorageError.ts"

export interface HostReport extends SeenHost {
  readonly alive: boolean
  /** `running`: scripts that have a slot there, of all hosts that serve the place. */
  readonly places: ReadonlyArray<ServedPlace & { readonly running: number }>
}

export class Hosts extends Context.Service<
  Hosts,
  {
    /** At most 1,000, the latest heard of first; those that left within the last day included. */
    readonly list: Effect.Effect<ReadonlyArray<HostReport>, StorageError>
  }
>()("@fairlead/core/health/Hosts") {
  static readonly layer = Layer.effect(
    Hosts,
    Effect.gen(function* () {
      const [store, gauge] = [yield* HostStore, yield* QueueGauge]
      return Hosts.of({
        list: Effect.gen(function* () {
          const { places } = yield* gauge.load
          return (yield* store.list).map((seen) => ({
            ...seen,
            alive: isAlive(seen),
            places: seen.host.places.map((served) => ({ ...served, running: places.get(served.place) ?? 0 }))
          }))
        }).pipe(Effect.withSpan("Hosts.list"))
      })
    })
  )
}
