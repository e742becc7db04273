import { assert, describe, it } from "@effect/vitest"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import * as Argon2PasswordHasher from "@fairlead/crypto/Argon2PasswordHasher"
import * as PasswordHasherContract from "@fairlead/testing/contracts/PasswordHasherContract"
import { Effect, Redacted } from "effect"

const password = Redacted.make("correct horse")
/** Of the same password. */
const argon2i = "$argon2i$v=19$m=19456,t=2,p=1$3L95JFcskw9iorDtHa0WTg$NqQrTQgx3sacqYPGKtqLFkhMiiklfGqLtN1lo2YTC5w"
const hashWith = (options: Argon2PasswordHasher.Argon2Options) =>
  Effect.flatMap(PasswordHasher, ({ hash }) => hash(password)).pipe(Effect.provide(Argon2PasswordHasher.layer(options)))
const strong = Effect.provide(Argon2PasswordHasher.layer())

PasswordHasherContract.suite("argon2", Argon2PasswordHasher.layer())

describe("Argon2PasswordHasher", () => {
  it.effect("hashes with argon2id, 19 MiB and two passes", () =>
    Effect.gen(function* () {
      const hash = Redacted.value(yield* hashWith({}))
      assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    })
  )

  it.effect.each([{ memoryKib: 8_192 }, { passes: 1 }])(
    "takes a hash with %o for outdated, and verifies it",
    (weaker) =>
      Effect.gen(function* () {
        const hasher = yield* PasswordHasher
        const weak = yield* hashWith(weaker)
        assert.isTrue(hasher.needsRehash(weak))
        assert.isTrue(yield* hasher.verify(weak, password))
        assert.isFalse(hasher.needsRehash(yield* hashWith({ memoryKib: 32_768, passes: 3 })))
      }).pipe(strong)
  )

  it.effect("takes a hash of argon2i for outdated, and verifies it", () =>
    Effect.gen(function* () {
      const hasher = yield* PasswordHasher
      const made = Redacted.make(argon2i)
      assert.isTrue(hasher.needsRehash(made))
      assert.isTrue(yield* hasher.verify(made, password))
      assert.isFalse(yield* hasher.verify(made, Redacted.make("other")))
    }).pipe(strong)
  )
})
