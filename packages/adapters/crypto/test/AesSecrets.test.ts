import { assert, describe, it } from "@effect/vitest"
import { Sealed, Secrets } from "@fairlead/core/secrets/Secrets"
import * as AesSecrets from "@fairlead/crypto/AesSecrets"
import * as SecretsContract from "@fairlead/testing/contracts/SecretsContract"
import { Effect, Redacted } from "effect"

/** Key `id` of 32 equal bytes. */
const key = (id: string, byte: number, size = 32): AesSecrets.SecretsKey => ({
  id,
  key: Redacted.make(new Uint8Array(size).fill(byte))
})
const withKeys = (options: AesSecrets.AesSecretsOptions) => Effect.provide(AesSecrets.layer(options))
const seal = Effect.flatMap(Secrets, ({ seal }) => seal("rows/1", Redacted.make("v")))
const open = (sealed: Effect.Success<typeof seal>) => Effect.flatMap(Secrets, ({ open }) => open("rows/1", sealed))

SecretsContract.suite("aes", AesSecrets.layer({ keys: [key("k", 1)], current: "k" }))

describe("AesSecrets", () => {
  it.effect("opens what an older key sealed as long as it is there, and seals with the current one", () =>
    Effect.gen(function* () {
      const [old, next] = [key("old", 1), key("new", 2)]
      const sealed = yield* seal.pipe(withKeys({ keys: [old], current: "old" }))
      const both = withKeys({ keys: [old, next], current: "new" })
      assert.strictEqual(Redacted.value(yield* open(sealed).pipe(both)), "v")
      const resealed = yield* seal.pipe(both)
      assert.match(resealed, /^v1\.new\./)
      const alone = withKeys({ keys: [next], current: "new" })
      assert.strictEqual(Redacted.value(yield* open(resealed).pipe(alone)), "v")
      assert.strictEqual((yield* Effect.flip(open(sealed).pipe(alone)))._tag, "SecretUnreadable")
    })
  )

  it.effect("does not open with another key of the same id, nor under the id of another key", () =>
    Effect.gen(function* () {
      const sealed = yield* seal.pipe(withKeys({ keys: [key("a", 1)], current: "a" }))
      const other = withKeys({ keys: [key("a", 2)], current: "a" })
      assert.strictEqual((yield* Effect.flip(open(sealed).pipe(other)))._tag, "SecretUnreadable")
      const twins = withKeys({ keys: [key("a", 1), key("b", 1)], current: "a" })
      const renamed = sealed.replace("v1.a.", "v1.b.")
      assert.isTrue(renamed !== sealed)
      const refused = Effect.flatMap(Secrets, ({ open }) => open("rows/1", Sealed.make(renamed)))
      assert.strictEqual((yield* Effect.flip(refused.pipe(twins)))._tag, "SecretUnreadable")
    })
  )

  it.effect.each([
    ["not_32_bytes", { keys: [key("k", 1, 16)], current: "k" }],
    ["not_32_bytes", { keys: [key("k", 1), key("l", 1, 33)], current: "k" }],
    ["malformed_id", { keys: [key("a.b", 1)], current: "a.b" }],
    ["malformed_id", { keys: [key("", 1)], current: "" }],
    ["twice", { keys: [key("k", 1), key("k", 2)], current: "k" }],
    ["missing", { keys: [key("k", 1)], current: "l" }],
    ["missing", { keys: [], current: "k" }]
  ] as const)("refuses to start with keys that are %s", ([problem, options]) =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(seal.pipe(withKeys(options)))
      assert.deepInclude(refused, { _tag: "SecretsKeyInvalid", problem })
    })
  )
})
