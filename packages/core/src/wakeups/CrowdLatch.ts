/** A latch that many wait for. Opened once, it lets them through a few at a time, so that a crowd keeps nobody else waiting. */
import { Effect } from "effect"

/** Let through before the event loop turns. */
const atOnce = 32

export interface CrowdLatch {
  isOpen(): boolean
  /** Calls `wake` once: when the latch opens, or now if it is open. A function that waits already goes on waiting. */
  join(wake: () => void): void
  /** Does not call `wake` any more. */
  leave(wake: () => void): void
  /** Waits until it is open. */
  readonly await: Effect.Effect<void>
  /** Returns when all who waited have been woken. Opening it twice changes nothing. */
  readonly open: Effect.Effect<void>
}

export const make = (): CrowdLatch => {
  const waiting = new Set<() => void>()
  let isOpen = false
  const join = (wake: () => void) => {
    if (isOpen) wake()
    else waiting.add(wake)
  }
  const leave = (wake: () => void) => void waiting.delete(wake)
  const open = Effect.gen(function* () {
    isOpen = true
    const all = [...waiting]
    for (let at = 0; at < all.length; at += atOnce) {
      for (const wake of all.slice(at, at + atOnce)) if (waiting.delete(wake)) wake()
      if (at + atOnce < all.length) yield* Effect.yieldNow
    }
  })
  const awaited = Effect.callback<void>((resume) => {
    const wake = () => resume(Effect.void)
    join(wake)
    return Effect.sync(() => leave(wake))
  })
  return { isOpen: () => isOpen, join, leave, await: awaited, open }
}
