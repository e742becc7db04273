/** Port: which hosts share this database, and when each was heard of last. */
import { Clock, Context, Effect, Layer } from "effect"
import type { HostId } from "../ids/HostId.ts"
import { MemoryDatabase, sharedTable } from "../storage/MemoryDatabase.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Host, SeenHost } from "./Host.ts"

export class HostStore extends Context.Service<
  HostStore,
  {
    /** Records that the host is there now, by the store's own clock, so that clocks of hosts need not agree. */
    beat(host: Host): Effect.Effect<void, StorageError>
    /** At most 1,000, the latest heard of first. */
    readonly list: Effect.Effect<ReadonlyArray<SeenHost>, StorageError>
    /** Forgets hosts that have been silent for `silentMillis` or longer; how many. */
    forget(silentMillis: number): Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/hosts/HostStore") {
  static readonly layerMemory = Layer.effect(
    HostStore,
    Effect.map(MemoryDatabase, (database) => {
      const rows = hostRows(database)
      const seen = Effect.all([rows.get, Clock.currentTimeMillis]).pipe(
        Effect.map(([known, now]) =>
          [...known.values()]
            .map(({ atMillis, host }): SeenHost => ({ host, silentMillis: now - atMillis }))
            .sort((a, b) => a.silentMillis - b.silentMillis)
        )
      )
      return HostStore.of({
        beat: (host) =>
          Effect.flatMap(Clock.currentTimeMillis, (atMillis) =>
            rows.modify((known) => [undefined, new Map(known).set(host.hostId, { host, atMillis })])
          ),
        list: Effect.map(seen, (hosts) => hosts.slice(0, 1_000)),
        forget: (silentMillis) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            rows.modify((known) => {
              const kept = new Map([...known].filter(([, { atMillis }]) => now - atMillis < silentMillis))
              return [known.size - kept.size, kept]
            })
          )
      })
    })
  )
}

const hostRows = sharedTable<ReadonlyMap<HostId, { readonly host: Host; readonly atMillis: number }>>(new Map())
