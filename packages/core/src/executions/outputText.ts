/** Bytes of a script's output as text: UTF-8, with U+FFFD for whatever is none. */
import { type Effect, Stream } from "effect"

export const outputText = (bytes: Uint8Array): Effect.Effect<string> =>
  Stream.make(bytes).pipe(outputParts, Stream.mkString)

/** The same of bytes that come in pieces, wherever they are cut. */
export const outputParts: <E>(bytes: Stream.Stream<Uint8Array, E>) => Stream.Stream<string, E> = Stream.decodeText()
