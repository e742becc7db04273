/** The keys of this host: from the environment, else made once and kept in the data folder. */
import { Effect, Option, Redacted, Result } from "effect"
import { Base64 } from "effect/encoding"
import { ConfigurationInvalid, type HostConfig } from "./HostConfig.ts"
import * as KeyFiles from "./KeyFiles.ts"

export interface EncryptionKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Redacted.Redacted<Uint8Array>
}

export interface Keys {
  /** At least 32 bytes of text. */
  readonly jwtSecret: Redacted.Redacted
  /** The first one seals; all open. */
  readonly encryptionKeys: readonly [EncryptionKey, ...Array<EncryptionKey>]
}

const minimumSecretLength = 32
const encryptionKeyBytes = 32

export const load = Effect.fn("Keys.load")(function* (config: HostConfig) {
  return { jwtSecret: yield* jwtSecret(config), encryptionKeys: yield* encryptionKeys(config) } satisfies Keys
})

const jwtSecret = Effect.fnUntraced(function* ({ FAIRLEAD_DATA_DIR, FAIRLEAD_JWT_SECRET }: HostConfig) {
  if (Option.isNone(FAIRLEAD_JWT_SECRET)) return (yield* KeyFiles.readOrMake(FAIRLEAD_DATA_DIR, "jwt-secret", 48)).key
  const secret = Redacted.value(FAIRLEAD_JWT_SECRET.value)
  if (secret.length >= minimumSecretLength && new Set(secret).size >= 10) return FAIRLEAD_JWT_SECRET.value
  return yield* new ConfigurationInvalid({
    problems: [
      `FAIRLEAD_JWT_SECRET is weak: at least ${minimumSecretLength} characters, not a repetition. Make one with: openssl rand -base64 48`
    ]
  })
})

const encryptionKeys = Effect.fnUntraced(function* ({ FAIRLEAD_DATA_DIR, FAIRLEAD_ENCRYPTION_KEYS }: HostConfig) {
  const given = Option.isSome(FAIRLEAD_ENCRYPTION_KEYS)
    ? Redacted.value(FAIRLEAD_ENCRYPTION_KEYS.value)
    : `local:${Redacted.value((yield* KeyFiles.readOrMake(FAIRLEAD_DATA_DIR, "encryption-key", encryptionKeyBytes)).key)}`
  const [first, ...others] = yield* Effect.forEach(given.split(","), encryptionKey)
  return first === undefined ? yield* malformedKeys : ([first, ...others] as const)
})

const encryptionKey = Effect.fnUntraced(function* (text: string) {
  const [id = "", encoded = ""] = text.trim().split(":", 2)
  const bytes = Base64.decode(encoded)
  if (!/^[\w-]{1,32}$/.test(id) || Result.isFailure(bytes) || bytes.success.length !== encryptionKeyBytes)
    return yield* malformedKeys
  return { id, key: Redacted.make(bytes.success, { label: `encryption key ${id}` }) }
})

const malformedKeys = new ConfigurationInvalid({
  problems: [
    "FAIRLEAD_ENCRYPTION_KEYS is not valid: each key is `id:base64` of 32 bytes, separated by commas. Make one with: openssl rand -base64 32"
  ]
})
