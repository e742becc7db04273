/** How full the queue is, to the second: exact enough for bounds and estimates, cheap enough for every request. */
import { Clock, Context, Effect, Layer } from "effect"
import type { UserId } from "../ids/UserId.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { countsOf, type QueueCounts, type QueueLoad } from "./QueueLoad.ts"
import { QueueStore } from "./QueueStore.ts"

/** Older than this it is read again. */
const staleMillis = 1_000
/** While one caller reads it again, the others take what is not older than this. */
const mostMillis = 5_000
const none: QueueCounts = { active: 0, planned: 0 }

export class QueueStats extends Context.Service<
  QueueStats,
  {
    /** Never waits for another caller, who may need the connection that this one holds. */
    readonly load: Effect.Effect<QueueLoad, StorageError>
    /** Entries of the owner: those of the load, and what this instance has let in since. */
    counts(ownerId: UserId): Effect.Effect<QueueCounts, StorageError>
    /** The same as stored now, whatever it costs. */
    exactCounts(ownerId: UserId): Effect.Effect<QueueCounts, StorageError>
    /** Counts one more for `counts`. */
    entered(ownerId: UserId, kind: keyof QueueCounts): Effect.Effect<void>
  }
>()("@fairlead/core/queue/QueueStats") {
  static readonly layer = Layer.effect(
    QueueStats,
    Effect.gen(function* () {
      const store = yield* QueueStore
      const since = new Map<UserId, QueueCounts>()
      let known: { readonly load: QueueLoad; readonly atMillis: number } | undefined
      let reading = 0

      const read = Effect.gen(function* () {
        reading++
        const atMillis = yield* Clock.currentTimeMillis
        const load = yield* Effect.ensuring(
          store.load,
          Effect.sync(() => {
            reading--
          })
        )
        since.clear()
        known = { load, atMillis }
        return load
      })
      const load = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (known === undefined) return read
        const age = now - known.atMillis
        return age < staleMillis || (reading > 0 && age < mostMillis) ? Effect.succeed(known.load) : read
      })
      return QueueStats.of({
        load,
        counts: (ownerId) =>
          Effect.map(load, (line) => {
            const [counted, added] = [countsOf(line, ownerId), since.get(ownerId) ?? none]
            return { active: counted.active + added.active, planned: counted.planned + added.planned }
          }),
        exactCounts: store.counts,
        entered: (ownerId, kind) =>
          Effect.sync(() => {
            const added = since.get(ownerId) ?? none
            since.set(ownerId, { ...added, [kind]: added[kind] + 1 })
          })
      })
    })
  )
}
