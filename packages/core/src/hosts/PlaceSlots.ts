/**
 * The places that this host serves, and what runs there as far as it knows. Truth is in `QueueStore`; this memory lets a
 * script start without asking first, when nothing speaks against it.
 */
import { Clock, Context, Effect, Layer, Option, Queue } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { RuntimeKind } from "../runtime/Job.ts"
import { demandOf, type Place, placeOf } from "../runtime/Place.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"

export interface HostPlace {
  readonly place: Place
  readonly runtime: RuntimeKind
  readonly demands: ReadonlyArray<string>
  readonly capacity: number
}

/** A reservation that no row confirms after this time was not used. */
const reservationMillis = 10_000

export class PlaceSlots extends Context.Service<
  PlaceSlots,
  {
    /** One for each runtime of this host. */
    readonly places: Effect.Effect<ReadonlyArray<HostPlace>>
    /** Whether its runtime starts anything at this moment. */
    isOpen(place: Place): Effect.Effect<boolean>
    /** Takes a slot if one seems to be free; it is given back by `free`. Takes none before the place was learnt of. */
    reserve(place: Place, executionId: ExecutionId): Effect.Effect<boolean>
    /** Counts executions that the store lets in there. Call it before that is committed, so that no slot is taken twice. */
    take(place: Place, executionIds: ReadonlyArray<ExecutionId>): Effect.Effect<void>
    /** No effect if it holds none. */
    free(executionId: ExecutionId): Effect.Effect<void>
    /** What the store knows of a place; reservations of the last 10 s stay. */
    learn(place: Place, admitted: ReadonlyArray<ExecutionId>): Effect.Effect<void>
    running(place: Place): Effect.Effect<number>
    /** Waits for a slot to be given back since the last wait; for one reader. */
    readonly freed: Effect.Effect<void>
    /** Mean duration between `reserve` or admission and `free`, of late; none before the first. */
    readonly meanRunMillis: Effect.Effect<Option.Option<number>>
  }
>()("@fairlead/core/hosts/PlaceSlots") {
  /** `capacity`: scripts that run at once in each place. */
  static readonly layer = (capacity: number) =>
    Layer.effect(
      PlaceSlots,
      Effect.gen(function* () {
        const runtimes = yield* ScriptRuntimes
        const held = new Map<Place, Map<ExecutionId, number>>()
        const freed = yield* Queue.sliding<void>(1)
        let meanRunMillis: number | undefined

        const at = (place: Place) => {
          const known = held.get(place)
          if (known !== undefined) return known
          const made = new Map<ExecutionId, number>()
          held.set(place, made)
          return made
        }
        /** Newer durations weigh more: each counts for a tenth. */
        const note = (millis: number) => {
          meanRunMillis = meanRunMillis === undefined ? millis : meanRunMillis * 0.9 + millis * 0.1
        }

        const isOpen = Effect.fnUntraced(function* (place: Place) {
          const runtime = (yield* runtimes.all).find((each) => placeOf(each) === place)
          return runtime?.obstacle === undefined || (yield* runtime.obstacle) === undefined
        })

        return PlaceSlots.of({
          isOpen,
          places: Effect.map(runtimes.all, (all) =>
            all.map((runtime) => ({
              place: placeOf(runtime),
              runtime: runtime.kind,
              demands: runtime.languages.flatMap(({ name, versions }) =>
                versions.map((version) => demandOf(runtime.kind, name, version))
              ),
              capacity
            }))
          ),
          reserve: Effect.fnUntraced(function* (place, executionId) {
            const slots = held.get(place)
            if (slots === undefined || slots.size >= capacity || !(yield* isOpen(place))) return false
            slots.set(executionId, yield* Clock.currentTimeMillis)
            return true
          }),
          take: (place, executionIds) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              for (const executionId of executionIds) at(place).set(executionId, now)
            }),
          free: (executionId) =>
            Effect.flatMap(Clock.currentTimeMillis, (now) => {
              for (const slots of held.values()) {
                const since = slots.get(executionId)
                if (since !== undefined) note(now - since)
                slots.delete(executionId)
              }
              return Effect.asVoid(Queue.offer(freed, undefined))
            }),
          learn: (place, admitted) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              const before = held.get(place) ?? new Map<ExecutionId, number>()
              const fresh = [...before].filter(([, since]) => now - since < reservationMillis)
              held.set(place, new Map([...admitted.map((id) => [id, before.get(id) ?? now] as const), ...fresh]))
            }),
          running: (place) => Effect.sync(() => held.get(place)?.size ?? 0),
          freed: Queue.take(freed),
          meanRunMillis: Effect.sync(() => Option.fromUndefinedOr(meanRunMillis))
        })
      })
    )
}
