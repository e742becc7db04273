/** Bytes of a script's output as text: UTF-8, with U+FFFD for whatever is none. */
import { Stream } from "effect"

/** Of the platform, wherever that is; core is compiled without the types of any. */
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string }

export const outputText = (bytes: Uint8Array): string => decoder.decode(bytes)

/** The same of bytes that come in pieces, wherever they are cut. */
export const outputParts: <E>(bytes: Stream.Stream<Uint8Array, E>) => Stream.Stream<string, E> = Stream.decodeText()

const decoder = new TextDecoder()
