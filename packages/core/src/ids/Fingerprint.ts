/** SHA-256 of a text, for comparing without keeping. */
import { Effect, Result } from "effect"
import { Digest } from "effect/crypto"
import { Hex } from "effect/encoding"

/** Lower-case hex, 64 characters. The same text always gives the same fingerprint. */
export const fingerprint = (text: string): Effect.Effect<string, never, Digest.Digest> =>
  Effect.flatMap(Digest.Digest, (digest) =>
    digest.digestHex(Digest.sha256, Result.getOrThrow(Hex.decode(Hex.encode(text))))
  )
