/** Checks and makes hashes of passwords, within bounds: few at once on an instance, few wrong ones for a name on all instances. */
import { Clock, Context, Effect, Layer, Option, Redacted, Semaphore } from "effect"
import { Ids } from "../../ids/Ids.ts"
import type { StorageError } from "../../storage/StorageError.ts"
import { LoginLocked, LoginsBusy } from "../AuthError.ts"
import { AuthOptions } from "../AuthOptions.ts"
import { keyedLock } from "../internal/keyedLock.ts"
import { LoginAttemptStore } from "./LoginAttemptStore.ts"
import { isLocked } from "./LoginAttempts.ts"
import { type PasswordHash, PasswordHasher } from "./PasswordHasher.ts"

export interface PasswordCheck {
  readonly right: boolean
  /** True when this wrong password was the one that locked the key. */
  readonly locks: boolean
  /** The hash to store instead, when the password is right and its hash is outdated. */
  readonly rehashed?: PasswordHash | undefined
}

export class PasswordChecks extends Context.Service<
  PasswordChecks,
  {
    hash(password: Redacted.Redacted): Effect.Effect<PasswordHash, LoginsBusy>
    /**
     * Checks the password, and without a hash does the same work for nothing. The attempt is counted under `key` before; a right
     * one is forgiven by `forgive`, in the caller's transaction. Attempts under one key wait for each other on this instance.
     */
    check(
      key: string,
      hash: Option.Option<PasswordHash>,
      password: Redacted.Redacted
    ): Effect.Effect<PasswordCheck, LoginLocked | LoginsBusy | StorageError>
    forgive(key: string): Effect.Effect<void, StorageError>
  }
>()("@fairlead/core/auth/users/PasswordChecks") {
  static readonly layer = Layer.effect(
    PasswordChecks,
    Effect.gen(function* () {
      const { lockSeconds, loginFailures, passwordsAtOnce, passwordsWaiting } = yield* AuthOptions
      const attempts = yield* LoginAttemptStore
      const hasher = yield* PasswordHasher
      const policy = { failures: loginFailures, windowMillis: lockSeconds * 1000 }
      const decoy = yield* Effect.flatMap((yield* Ids).token(32), (token) => hasher.hash(Redacted.make(token)))
      const nodes = Semaphore.makeUnsafe(passwordsAtOnce + passwordsWaiting)
      const turns = Semaphore.makeUnsafe(passwordsAtOnce)
      const oneByOne = keyedLock()

      const inLine = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E | LoginsBusy> =>
        Effect.flatMap(nodes.withPermitsIfAvailable(1)(work), (done) =>
          Option.isSome(done) ? Effect.succeed(done.value) : Effect.fail(new LoginsBusy({ retryAfterSeconds: 1 }))
        )

      const judge = Effect.fnUntraced(function* (
        key: string,
        hash: Option.Option<PasswordHash>,
        password: Redacted.Redacted
      ) {
        const now = yield* Clock.currentTimeMillis
        const charged = yield* attempts.charge(key, now, policy)
        if (isLocked(charged, policy))
          return yield* new LoginLocked({ retryAfterSeconds: Math.ceil((charged.endsAt - now) / 1000) })
        const matches = yield* hasher.verify(
          Option.getOrElse(hash, () => decoy),
          password
        )
        if (!matches || Option.isNone(hash)) return { right: false, locks: charged.count === policy.failures }
        const rehashed = hasher.needsRehash(hash.value) ? yield* hasher.hash(password) : undefined
        return { right: true, locks: false, rehashed }
      })

      return PasswordChecks.of({
        // A hash goes on in its thread when the caller leaves: so does its turn.
        hash: (password) => inLine(turns.withPermit(Effect.uninterruptible(hasher.hash(password)))),
        check: (key, hash, password) =>
          inLine(oneByOne(key, turns.withPermit(Effect.uninterruptible(judge(key, hash, password))))),
        forgive: attempts.clear
      })
    })
  )
}
