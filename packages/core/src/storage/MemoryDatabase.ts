/** The tables behind every `layerMemory`: values that are swapped, never edited, so that a rollback puts the old ones back. */
import { Context, Effect, Layer, Semaphore } from "effect"

export interface MemoryTable<A> {
  readonly get: Effect.Effect<A>
  /** Replaces the value by the second half of the answer, in one step. */
  modify<B>(change: (value: A) => readonly [B, A]): Effect.Effect<B>
}

/** A table that several stores of one database share: the first to ask creates it. */
export const sharedTable = <A>(initial: A): ((database: MemoryDatabase["Service"]) => MemoryTable<A>) => {
  const opened = new WeakMap<MemoryDatabase["Service"], MemoryTable<A>>()
  return (database) => {
    const known = opened.get(database)
    if (known !== undefined) return known
    const table = database.table(initial)
    opened.set(database, table)
    return table
  }
}

/** Callbacks of the transaction this fiber is in; `undefined` outside of one. */
const AfterCommit = Context.Reference<Array<Effect.Effect<void>> | undefined>(
  "@fairlead/core/storage/MemoryDatabase/AfterCommit",
  { defaultValue: () => undefined }
)

export class MemoryDatabase extends Context.Service<
  MemoryDatabase,
  {
    table<A>(initial: A): MemoryTable<A>
    transaction<A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
    afterCommit(effect: Effect.Effect<void>): Effect.Effect<void>
  }
>()("@fairlead/core/storage/MemoryDatabase") {
  static readonly layer = Layer.sync(MemoryDatabase, () => {
    const lock = Semaphore.makeUnsafe(1)
    const savers: Array<() => () => void> = []

    const table = <A>(initial: A): MemoryTable<A> => {
      let value = initial
      savers.push(() => {
        const saved = value
        return () => {
          value = saved
        }
      })
      const change = <B>(by: (value: A) => readonly [B, A]) =>
        Effect.sync(() => {
          const [answer, next] = by(value)
          value = next
          return answer
        })
      /** One writer or reader at a time; whoever is already inside a transaction goes on. */
      const modify = <B>(by: (value: A) => readonly [B, A]) =>
        Effect.flatMap(AfterCommit, (inside) => (inside === undefined ? lock.withPermit(change(by)) : change(by)))
      return { get: modify((value) => [value, value]), modify }
    }

    const savepoint = <A, E, R>(work: Effect.Effect<A, E, R>, callbacks: Array<Effect.Effect<void>>) =>
      Effect.suspend(() => {
        const restores = savers.map((save) => save())
        const registered = callbacks.length
        return Effect.onError(work, () =>
          Effect.sync(() => {
            for (const restore of restores) restore()
            callbacks.length = registered
          })
        )
      })

    const transaction = <A, E, R>(work: Effect.Effect<A, E, R>) =>
      Effect.flatMap(AfterCommit, (outer) => {
        if (outer !== undefined) return savepoint(work, outer)
        const callbacks: Array<Effect.Effect<void>> = []
        return lock
          .withPermit(Effect.provideService(savepoint(work, callbacks), AfterCommit, callbacks))
          .pipe(Effect.tap(() => Effect.forEach(callbacks, (callback) => callback, { discard: true })))
      })

    const afterCommit = (effect: Effect.Effect<void>) =>
      Effect.flatMap(AfterCommit, (callbacks) =>
        callbacks === undefined ? effect : Effect.sync(() => void callbacks.push(effect))
      )

    return MemoryDatabase.of({ table, transaction, afterCommit })
  })
}
