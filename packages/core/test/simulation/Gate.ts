/**
 * What stands between one host and the world: it may be shut for a while (the host is frozen) or for ever (it has crashed).
 * Every call of a port passes it on the way there and on the way back, and may meet with a fault.
 */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Context, Effect, Latch } from "effect"
import type { Random } from "./Random.ts"

/** Probabilities for one call of a port. All 0 once the world heals. */
export interface Chaos {
  readonly failure: number
  readonly delay: number
  readonly crash: number
  readonly freeze: number
  /** A hint is lost. */
  readonly loss: number
  /** An item of the engine is delivered a second time, or late. */
  readonly repeat: number
}
export const calm: Chaos = { failure: 0, delay: 0, crash: 0, freeze: 0, loss: 0, repeat: 0 }

/** Inside of a transaction nothing waits: a crash there rolls it back, and a freeze waits for its end. */
export const InTransaction = Context.Reference<boolean>("simulation/InTransaction", { defaultValue: () => false })

export interface Gate {
  readonly state: () => "open" | "frozen" | "dead"
  /** Waits while the host is frozen; never comes back once it is dead. */
  readonly pass: Effect.Effect<void>
  readonly freeze: () => void
  readonly thaw: () => void
  readonly kill: () => void
  /** While it is true no store answers. */
  readonly isCutOff: () => boolean
  readonly cutOff: () => void
  readonly reconnect: () => void
  /** The call with what may happen to it. `broken` is the error of a call that fails, before or after it took effect. */
  disturb<A, E, R, E2>(call: Effect.Effect<A, E, R>, broken: Effect.Effect<never, E2>): Effect.Effect<A, E | E2, R>
}

export interface GateEvents {
  readonly random: Random
  readonly chaos: () => Chaos
  /** The call of a port made the host crash, or freeze for so many milliseconds. */
  readonly onCrash: () => void
  readonly onFreeze: (millis: number) => void
}

export const make = ({ chaos, onCrash, onFreeze, random }: GateEvents): Gate => {
  const latch = Latch.makeUnsafe(true)
  let state: "open" | "frozen" | "dead" = "open"
  let isCutOff = false
  const pass: Effect.Effect<void> = Effect.suspend(() => {
    if (state === "open") return Effect.void
    return state === "dead" ? Effect.never : Effect.andThen(Latch.await(latch), pass)
  })
  /** Draws what befalls the host at this moment. */
  const befall = () => {
    const { crash, freeze } = chaos()
    if (state !== "open") return
    if (random.chance(crash)) onCrash()
    else if (random.chance(freeze)) onFreeze(random.pick([500, 3_000, 12_000, 35_000, 70_000]))
  }

  const disturb: Gate["disturb"] = (call, broken) =>
    Effect.gen(function* () {
      const inside = yield* InTransaction
      const boundary = Effect.suspend(() => {
        befall()
        if (!inside) return pass
        return state === "dead" ? broken : Effect.void
      })
      yield* boundary
      const { delay, failure } = chaos()
      if (random.chance(failure)) return yield* broken
      if (!inside && random.chance(delay)) yield* Effect.sleep(random.pick([10, 200, 1_500]))
      const answer = yield* call
      yield* boundary
      if (random.chance(failure)) return yield* broken
      return answer
    })

  return {
    state: () => state,
    pass,
    freeze: () => {
      if (state !== "open") return
      state = "frozen"
      Latch.closeUnsafe(latch)
    },
    thaw: () => {
      if (state !== "frozen") return
      state = "open"
      Latch.openUnsafe(latch)
    },
    kill: () => {
      state = "dead"
    },
    isCutOff: () => isCutOff,
    cutOff: () => {
      isCutOff = true
    },
    reconnect: () => {
      isCutOff = false
    },
    disturb
  }
}

/** Made only when it is met: an error is dear. */
export const storageFailure = (operation: string) =>
  Effect.suspend(() => Effect.fail(new StorageError({ operation, retryable: true, cause: "simulated" })))
