/** Port: counters of failed logins, shared by all instances. A key need not belong to any user, so a lock betrays none. */
import { Context, Effect, Layer } from "effect"
import { MemoryDatabase } from "../../storage/MemoryDatabase.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { charge, type LockPolicy, type LoginAttempts } from "./LoginAttempts.ts"

/** Counters that outlast a prune. Beyond it those that end first are forgotten. */
export const maximumLoginAttempts = 100_000

export class LoginAttemptStore extends Context.Service<
  LoginAttemptStore,
  {
    /** Counts an attempt as `LoginAttempts.charge` says and returns what is stored then. One atomic step among all instances. */
    charge(key: string, now: number, policy: LockPolicy): Effect.Effect<LoginAttempts, StorageError>
    /** Forgets the key's attempts. */
    clear(key: string): Effect.Effect<void, StorageError>
    /** Forgets what ended, and the oldest beyond the maximum; at most 10,000 of each at a time. Returns how many. */
    prune(now: number): Effect.Effect<number, StorageError>
  }
>()("@fairlead/core/auth/users/LoginAttemptStore") {
  static readonly layerMemory = Layer.effect(
    LoginAttemptStore,
    Effect.map(MemoryDatabase, ({ table }) => {
      const attempts = table<ReadonlyMap<string, LoginAttempts>>(new Map())
      return LoginAttemptStore.of({
        charge: (key, now, policy) =>
          attempts.modify((rows) => {
            const charged = charge(rows.get(key), now, policy)
            return [charged, new Map(rows).set(key, charged)]
          }),
        clear: (key) => attempts.modify((rows) => [undefined, new Map([...rows].filter(([known]) => known !== key))]),
        prune: (now) =>
          attempts.modify((rows) => {
            const live = [...rows].filter(([, { endsAt }]) => endsAt > now).sort(([, a], [, b]) => b.endsAt - a.endsAt)
            const kept = new Map(live.slice(0, maximumLoginAttempts))
            return [rows.size - kept.size, kept]
          })
      })
    })
  )
}
