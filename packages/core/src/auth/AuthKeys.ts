/** Keyed stamps on texts that we hand out and want to recognise. One secret, one derived key for each purpose. */
import { Context, Effect, Layer, Redacted, Result } from "effect"
import { Mac } from "effect/crypto"
import { Base64Url } from "effect/encoding"
import { SecretTooShort } from "./AuthError.ts"
import { bytesOf } from "./internal/secretText.ts"

/** Bytes that a signing secret must have at least. */
export const minimumSecretBytes = 32

/** `csrf`: CSRF tokens. `refresh`: refresh tokens. `successor`: the refresh token that follows another one. */
export type StampPurpose = "csrf" | "refresh" | "successor"

export class AuthKeys extends Context.Service<
  AuthKeys,
  {
    /** HMAC-SHA256 of the text under the purpose's key, as 43 characters of base64url. */
    stamp(purpose: StampPurpose, text: string): Effect.Effect<string>
    /** Whether `stamp` is what `stamp(purpose, text)` gives. Constant time. */
    verify(purpose: StampPurpose, text: string, stamp: string): Effect.Effect<boolean>
  }
>()("@fairlead/core/auth/AuthKeys") {
  static readonly layer = (options: {
    /** Of at least 32 bytes. All instances that share a database share it; another one ends every session. */
    readonly secret: Redacted.Redacted
  }) =>
    Layer.effect(
      AuthKeys,
      Effect.gen(function* () {
        const mac = yield* Mac.Mac
        const root = yield* Effect.flatMap(secretBytes("auth keys", options.secret), hmacKey)
        const derive = (purpose: StampPurpose) =>
          Effect.flatMap(sign(mac, root, bytesOf(`fairlead/auth/${purpose}/v1`)), hmacKey)
        const keys = {
          csrf: yield* derive("csrf"),
          refresh: yield* derive("refresh"),
          successor: yield* derive("successor")
        }
        return AuthKeys.of({
          stamp: (purpose, text) => Effect.map(sign(mac, keys[purpose], bytesOf(text)), Base64Url.encode),
          verify: (purpose, text, stamp) => {
            const tag = Base64Url.decode(stamp)
            // Base64 has several spellings of the same bytes: only the one we write is taken.
            if (Result.isFailure(tag) || Base64Url.encode(tag.success) !== stamp) return Effect.succeed(false)
            return Effect.orDie(mac.verify(keys[purpose], tag.success, bytesOf(text)))
          }
        })
      })
    )
}

/** The bytes of a secret that is long enough; `use` names it in the error. */
export const secretBytes = (use: string, secret: Redacted.Redacted): Effect.Effect<Uint8Array, SecretTooShort> => {
  const bytes = bytesOf(Redacted.value(secret))
  if (bytes.length >= minimumSecretBytes) return Effect.succeed(bytes)
  return Effect.fail(new SecretTooShort({ use, sizeBytes: bytes.length, minimumBytes: minimumSecretBytes }))
}

// A key of bytes and the algorithm that every platform has: what is left to fail is a bug.
const hmacKey = (bytes: Uint8Array) => Effect.orDie(Mac.key(Mac.hmacSha256, bytes))
const sign = (mac: Mac.Mac["Service"], key: Mac.Key, data: Uint8Array) => Effect.orDie(mac.sign(key, data))
