/**
 * The form of API keys: `fairlead_<key id, 32 hex digits>_<secret>`. The last 6 characters of the secret depend on everything
 * before: a mistyped key is refused without a look at the store, and scanners for leaked keys can be sure of what they found.
 */
import { Effect, Option, Schema } from "effect"
import { ApiKeyId } from "../../ids/ApiKeyId.ts"
import { fingerprint } from "../../ids/Fingerprint.ts"
import { TokenRejected } from "../AuthError.ts"

const prefix = "fairlead_"
const checksumLength = 6
const form = /^fairlead_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_[A-Za-z0-9_-]{22,100}$/

/** Whether the text is meant to be a key, well-formed or not. */
export const isKeyText = (text: string): boolean => text.startsWith(prefix)

const checksum = (text: string) => Effect.map(fingerprint(`checksum ${text}`), (hash) => hash.slice(0, checksumLength))

/** The key as its owner gets it. `random` is base64url. */
export const keyText = Effect.fnUntraced(function* (id: ApiKeyId, random: string) {
  const text = `${prefix}${id.replaceAll("-", "")}_${random}`
  return `${text}${yield* checksum(text)}`
})

/** The id that a key names, and the SHA-256 of the whole key in hex. */
export const readKeyText = Effect.fnUntraced(function* (key: string) {
  const groups = form.exec(key.slice(0, 256))?.slice(1)
  const apiKeyId = Schema.decodeUnknownOption(ApiKeyId)(groups?.join("-"))
  if (Option.isNone(apiKeyId)) return yield* new TokenRejected()
  const text = key.slice(0, -checksumLength)
  if (key !== `${text}${yield* checksum(text)}`) return yield* new TokenRejected()
  return { apiKeyId: apiKeyId.value, keyHash: yield* fingerprint(key) }
})
