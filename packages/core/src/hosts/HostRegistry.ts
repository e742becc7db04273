/** Makes this host known to the others, and knows which of them live: asked of the store every 2 s. */
import { Clock, Context, DateTime, Effect, Layer, Ref } from "effect"
import { HostId } from "../ids/HostId.ts"
import { Ids } from "../ids/Ids.ts"
import type { Place } from "../runtime/Place.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Host, isAlive, type SeenHost } from "./Host.ts"
import { HostStore } from "./HostStore.ts"
import { PlaceSlots } from "./PlaceSlots.ts"

const beatMillis = 2_000
/** Longer than this between two beats counts as a gap: the store was away, or this process was. */
const gapMillis = 6_000
/** Hosts that nobody heard of for a day are forgotten. */
const forgottenMillis = 24 * 3_600_000

export class HostRegistry extends Context.Service<
  HostRegistry,
  {
    readonly hostId: HostId
    /** Of this host, in what it writes. */
    readonly name: string
    /** As of at most 2 s ago, this host included; older while the store does not answer. */
    readonly seen: Effect.Effect<ReadonlyArray<SeenHost>>
    /** Whether another living host serves the place. */
    shares(place: Place): Effect.Effect<boolean>
    /** How long the store has answered this host without a gap. */
    readonly steadyMillis: Effect.Effect<number>
    /** Tells the others that this host takes no more work. */
    readonly leave: Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/hosts/HostRegistry") {
  /** Beats once before it is there, so that nobody takes this host's places for deserted. Says good-bye when the scope closes. */
  static readonly layer = ({ name, version }: { readonly name: string; readonly version: string }) =>
    Layer.effect(
      HostRegistry,
      Effect.gen(function* () {
        const [store, slots, ids] = [yield* HostStore, yield* PlaceSlots, yield* Ids]
        const hostId = HostId.make(yield* ids.uuid)
        const startedAt = yield* DateTime.now
        const seen = yield* Ref.make<ReadonlyArray<SeenHost>>([])
        const leaving = yield* Ref.make(false)

        const beat = Effect.gen(function* () {
          const places = (yield* slots.places).map(({ capacity, place, runtime }) => ({ place, runtime, capacity }))
          yield* store.beat(new Host({ hostId, name, version, startedAt, places, leaving: yield* Ref.get(leaving) }))
          yield* Ref.set(seen, yield* store.list)
        })
        const leave = Effect.andThen(Ref.set(leaving, true), beat)
        let [steadySince, lastBeat] = [0, 0]
        const noteBeat = Effect.map(Clock.currentTimeMillis, (now) => {
          if (now - lastBeat > gapMillis) steadySince = now
          lastBeat = now
        })
        const retried = Effect.andThen(beat, noteBeat).pipe(
          Effect.catchTag("StorageError", (error) =>
            Effect.logWarning("This host could not make itself known; trying again.", error)
          )
        )

        yield* Effect.andThen(beat, noteBeat)
        yield* store.forget(forgottenMillis)
        yield* Effect.forkScoped(Effect.forever(Effect.delay(retried, beatMillis)))
        yield* Effect.addFinalizer(() =>
          leave.pipe(
            Effect.timeoutOption("2 seconds"),
            Effect.catchTag("StorageError", (error) => Effect.logWarning("This host left without a word.", error))
          )
        )

        return HostRegistry.of({
          hostId,
          name,
          seen: Ref.get(seen),
          steadyMillis: Effect.map(Clock.currentTimeMillis, (now) =>
            now - lastBeat > gapMillis ? 0 : now - steadySince
          ),
          shares: (place) =>
            Effect.map(Ref.get(seen), (hosts) =>
              hosts.some(
                (other) =>
                  other.host.hostId !== hostId &&
                  isAlive(other) &&
                  other.host.places.some((served) => served.place === place)
              )
            ),
          leave
        })
      })
    )
}
