/**
 * Port: slow hashes of passwords. Nobody but `PasswordChecks` should call it: each call costs tens of milliseconds and of
 * megabytes, and there the number at once is bounded.
 */
import { Context, Effect, Layer, Redacted } from "effect"

/** A hash with its salt and parameters in one printable string, as it is stored. */
export type PasswordHash = Redacted.Redacted

export class PasswordHasher extends Context.Service<
  PasswordHasher,
  {
    /** Hashing the same password twice gives two hashes. Every character counts, whatever the length. */
    hash(password: Redacted.Redacted): Effect.Effect<PasswordHash>
    /** False also for a hash that is none. */
    verify(hash: PasswordHash, password: Redacted.Redacted): Effect.Effect<boolean>
    /** True when the hash was made with weaker parameters than `hash` uses now, or by another method. */
    needsRehash(hash: PasswordHash): boolean
  }
>()("@fairlead/core/auth/users/PasswordHasher") {
  /** Protects nothing: the password can be read from its hash. */
  static readonly layerMemory = Layer.sync(PasswordHasher, () => {
    let salt = 0
    const prefix = /^memory\$\d+\$/
    return PasswordHasher.of({
      hash: (password) => Effect.sync(() => Redacted.make(`memory$${++salt}$${Redacted.value(password)}`)),
      verify: (hash, password) =>
        Effect.sync(() => {
          const stored = Redacted.value(hash)
          return prefix.test(stored) && stored.replace(prefix, "") === Redacted.value(password)
        }),
      needsRehash: (hash) => !prefix.test(Redacted.value(hash))
    })
  })
}
