/** Bytes and comparison of texts that are secret. */
import { Result } from "effect"
import { Mac } from "effect/crypto"
import { Hex } from "effect/encoding"

/** UTF-8. Core has no `TextEncoder`. */
export const bytesOf = (text: string): Uint8Array => Result.getOrThrow(Hex.decode(Hex.encode(text)))

/** Takes the same time wherever the texts differ; another length shows. */
export const sameSecret = (a: string, b: string): boolean => Mac.timingSafeEqual(bytesOf(a), bytesOf(b))
