/**
 * `Secrets` with AES-256-GCM. A sealed text is `v1.<key id>.<nonce and cipher text>`; the key id and the place are bound to it as
 * additional data. Keys are changed by adding one, naming it current, sealing anew what the old one sealed, and removing that.
 */
import { Sealed, Secrets, SecretUnreadable } from "@fairlead/core/secrets/Secrets"
import { Bytes, Effect, Layer, Redacted, Result, Schema } from "effect"
import { Aead, SecureRandom } from "effect/crypto"
import { Base64Url } from "effect/encoding"

export interface SecretsKey {
  /** 1 to 64 letters, digits, dashes and underscores; stored in the clear with everything that the key seals. */
  readonly id: string
  /** 32 bytes from a cryptographic source. */
  readonly key: Redacted.Redacted<Uint8Array>
}

export interface AesSecretsOptions {
  /** All of them open. Ids are unique. */
  readonly keys: ReadonlyArray<SecretsKey>
  /** Id of the one that seals. */
  readonly current: string
}

/** A key cannot be used, or the current one is not there. */
export class SecretsKeyInvalid extends Schema.TaggedError<SecretsKeyInvalid>()("SecretsKeyInvalid", {
  keyId: Schema.String,
  problem: Schema.Literals(["malformed_id", "not_32_bytes", "twice", "missing"])
}) {}

const version = "v1"
const algorithm = Aead.aes256Gcm
const crypto = Aead.layerWebCrypto.pipe(Layer.provideMerge(SecureRandom.layerWebCrypto))

export const layer = (options: AesSecretsOptions): Layer.Layer<Secrets, SecretsKeyInvalid> =>
  Layer.effect(
    Secrets,
    Effect.gen(function* () {
      const aead = yield* Aead.Aead
      const random = yield* SecureRandom.SecureRandom
      const keys = yield* importKeys(options.keys)
      const current = keys.get(options.current)
      if (current === undefined) return yield* new SecretsKeyInvalid({ keyId: options.current, problem: "missing" })

      return Secrets.of({
        seal: Effect.fnUntraced(function* (place, value) {
          const nonce = yield* random.randomBytes(algorithm.nonceLength)
          const aad = boundTo(options.current, place)
          // The key and the nonce have the right size: what is left to fail is a bug.
          const encrypted = yield* Effect.orDie(aead.encrypt(current, utf8(Redacted.value(value)), { nonce, aad }))
          return Sealed.make(`${version}.${options.current}.${Base64Url.encode(Bytes.concat([nonce, encrypted]))}`)
        }),

        open: Effect.fnUntraced(function* (place, sealed) {
          const unreadable = new SecretUnreadable({ place })
          const [written, keyId = "", encoded = "", ...rest] = sealed.split(".")
          const key = keys.get(keyId)
          const bytes = Base64Url.decode(encoded)
          if (written !== version || key === undefined || rest.length > 0 || Result.isFailure(bytes))
            return yield* unreadable
          const nonce = bytes.success.subarray(0, algorithm.nonceLength)
          const encrypted = bytes.success.subarray(algorithm.nonceLength)
          if (nonce.length < algorithm.nonceLength) return yield* unreadable
          const opened = yield* Effect.mapError(
            aead.decrypt(key, encrypted, { nonce, aad: boundTo(keyId, place) }),
            () => unreadable
          )
          return Redacted.make(text(opened))
        })
      })
    })
  ).pipe(Layer.provide(crypto))

const importKeys = Effect.fnUntraced(function* (keys: ReadonlyArray<SecretsKey>) {
  const imported = new Map<string, Aead.Key>()
  for (const { id, key } of keys) {
    const refuse = (problem: SecretsKeyInvalid["problem"]) => new SecretsKeyInvalid({ keyId: id, problem })
    if (!/^[\w-]{1,64}$/.test(id)) return yield* refuse("malformed_id")
    if (imported.has(id)) return yield* refuse("twice")
    imported.set(id, yield* Effect.mapError(Aead.key(algorithm, Redacted.value(key)), () => refuse("not_32_bytes")))
  }
  return imported
})

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

/** Key ids have no dot, so no other pair gives the same bytes. */
const boundTo = (keyId: string, place: string) => utf8(`${version}.${keyId}.${place}`)
