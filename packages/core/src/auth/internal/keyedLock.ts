/** One at a time for each key; other keys do not wait. Holds memory only for keys in use. */
import { Effect, Semaphore } from "effect"

export const keyedLock = () => {
  const locks = new Map<string, { readonly turn: Semaphore.Semaphore; users: number }>()
  const enter = (key: string) =>
    Effect.sync(() => {
      const lock = locks.get(key) ?? { turn: Semaphore.makeUnsafe(1), users: 0 }
      lock.users++
      locks.set(key, lock)
      return lock
    })
  return <A, E, R>(key: string, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      enter(key),
      (lock) => lock.turn.withPermit(work),
      (lock) =>
        Effect.sync(() => {
          if (--lock.users === 0) locks.delete(key)
        })
    )
}
