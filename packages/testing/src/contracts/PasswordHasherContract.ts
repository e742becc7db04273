/** What every hasher of passwords promises: salted, exact to the last character, and never taken in by a text that is no hash. */
import { assert, it } from "@effect/vitest"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { Effect, type Layer, Redacted } from "effect"
import { liveSuite } from "./internal/eventually.ts"

const secret = (text: string) => Redacted.make(text)

export const suite = (name: string, hasher: Layer.Layer<PasswordHasher, unknown>): void =>
  it.layer(hasher, liveSuite)(`PasswordHasher (${name})`, (it) => {
    it.effect("verify accepts the password that was hashed and no other", () =>
      Effect.gen(function* () {
        const { hash, verify } = yield* PasswordHasher
        for (const password of ["correct horse", "pä$$ wörd 🔑", " ", "", "a\u0000b"]) {
          const hashed = yield* hash(secret(password))
          assert.isTrue(yield* verify(hashed, secret(password)), password)
          for (const other of [`${password} `, `${password}x`, password.toUpperCase(), "x"].filter(
            (text) => text !== password
          ))
            assert.isFalse(yield* verify(hashed, secret(other)), `${password} / ${other}`)
        }
      })
    )

    it.effect("verify tells apart long passwords that differ in one character, wherever it stands", () =>
      Effect.gen(function* () {
        const { hash, verify } = yield* PasswordHasher
        const long = "p".repeat(1_024)
        const hashed = yield* hash(secret(long))
        assert.isTrue(yield* verify(hashed, secret(long)))
        for (const at of [0, 55, 71, 72, 73, 127, 1_023])
          assert.isFalse(yield* verify(hashed, secret(`${long.slice(0, at)}q${long.slice(at + 1)}`)), `at ${at}`)
      })
    )

    it.effect("verify does not take two spellings of one letter for the same", () =>
      Effect.gen(function* () {
        const { hash, verify } = yield* PasswordHasher
        assert.isFalse(yield* verify(yield* hash(secret("caf\u00e9-caf\u00e9")), secret("cafe\u0301-cafe\u0301")))
      })
    )

    it.effect("hash gives another hash each time, from which the label hides the text", () =>
      Effect.gen(function* () {
        const { hash, needsRehash } = yield* PasswordHasher
        const [first, second] = [yield* hash(secret("same")), yield* hash(secret("same"))]
        assert.notStrictEqual(Redacted.value(first), Redacted.value(second))
        assert.notInclude(`${first} ${JSON.stringify(first)}`, Redacted.value(first))
        assert.isFalse(needsRehash(first))
      })
    )

    it.effect("a text that is no hash verifies nothing and wants to be made anew", () =>
      Effect.gen(function* () {
        const { needsRehash, verify } = yield* PasswordHasher
        for (const text of [
          "",
          "password",
          "$argon2id$",
          "$2b$10$abcdefghijklmnopqrstuv",
          "$argon2id$v=19$m=1,t=1,p=1$x$y"
        ]) {
          assert.isFalse(yield* verify(secret(text), secret(text)), text)
          assert.isFalse(yield* verify(secret(text), secret("")), text)
          assert.isTrue(needsRehash(secret(text)), text)
        }
      })
    )
  })
