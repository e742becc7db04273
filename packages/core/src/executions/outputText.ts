/** Bytes of a script's output as text: UTF-8, with U+FFFD for whatever is none. */
import { type Effect, Stream } from "effect"

export const outputText = (bytes: Uint8Array): Effect.Effect<string> =>
  Stream.make(bytes).pipe(Stream.decodeText(), Stream.mkString)
