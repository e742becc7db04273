/**
 * `PasswordHasher` with argon2id. The parameters are those that OWASP names for 19 MiB; a hash with weaker ones still verifies
 * and asks to be made anew. Runs on libuv's threads, so at most four hashes proceed at once in a process unless that is changed.
 */
import { type PasswordHash, PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { hash, parseOptions, verify } from "@node-rs/argon2"
import { Effect, Layer, Option, Redacted } from "effect"

export interface Argon2Options {
  /** Memory of one hash in KiB; default 19,456. */
  readonly memoryKib?: number | undefined
  /** Passes over the memory; default 2. */
  readonly passes?: number | undefined
  /** Threads of one hash; default 1. */
  readonly parallelism?: number | undefined
}

/** `Algorithm.Argon2id`: an enum that exists only in types. */
const argon2id = 2

export const layer = ({ memoryKib = 19_456, parallelism = 1, passes = 2 }: Argon2Options = {}) =>
  Layer.succeed(
    PasswordHasher,
    PasswordHasher.of({
      // Neither call takes time to abort: a hash that runs cannot be stopped.
      hash: (password) =>
        Effect.promise((signal) =>
          hash(
            Redacted.value(password),
            { algorithm: argon2id, memoryCost: memoryKib, timeCost: passes, parallelism },
            signal
          )
        ).pipe(Effect.map((text) => Redacted.make(text, { label: "password hash" }))),
      verify: (stored, password) =>
        Option.isNone(parse(stored))
          ? Effect.succeed(false)
          : Effect.promise((signal) => verify(Redacted.value(stored), Redacted.value(password), undefined, signal)),
      needsRehash: (stored) =>
        Option.match(parse(stored), {
          onNone: () => true,
          onSome: (used) =>
            used.algorithm !== argon2id ||
            used.memoryCost < memoryKib ||
            used.timeCost < passes ||
            used.parallelism < parallelism
        })
    })
  )

/** What a hash was made with; none if it is not one of argon2. */
const parse = Option.liftThrowable((stored: PasswordHash) => parseOptions(Redacted.value(stored)))
