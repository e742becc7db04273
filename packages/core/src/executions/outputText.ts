/** Bytes of a script's output as text: UTF-8, with U+FFFD for whatever is none, and for NUL, which databases do not take as text. */
import { Effect, Stream } from "effect"

export const outputText = (bytes: Uint8Array): Effect.Effect<string> =>
  Stream.make(bytes).pipe(
    Stream.decodeText(),
    Stream.mkString,
    Effect.map((text) => text.replaceAll("\0", "\uFFFD"))
  )
