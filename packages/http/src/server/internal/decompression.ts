/** Undoes the encoding of a body, as far as the web platform under us can. */
import { Stream } from "effect"

type Decompression = ReadableWritablePair<Uint8Array, Uint8Array>
type Format = ConstructorParameters<typeof DecompressionStream>[0]

/** By the name in `Content-Encoding`. What is missing in the types is in Node since 22.20. */
const formats: Readonly<Record<string, Format>> = { gzip: "gzip", "x-gzip": "gzip", br: "brotli" as Format }

const isKnown = (format: Format) => {
  try {
    return new DecompressionStream(format) instanceof DecompressionStream
  } catch {
    return false
  }
}

/** Names that are taken here, for the header `Accept-Encoding` of a refusal. */
export const supported: ReadonlyArray<string> = ["gzip", "br"].filter((name) => {
  const format = formats[name]
  return format !== undefined && isKnown(format)
})

/** `undefined` when the encoding is not known. Reads as much as is taken; bytes that are not so encoded are an `onError`. */
export const decompressed = <E>(
  bytes: Stream.Stream<Uint8Array, E>,
  encoding: string,
  onError: (error: unknown) => E
): Stream.Stream<Uint8Array, E> | undefined => {
  const format = formats[encoding]
  if (format === undefined || !isKnown(format)) return undefined
  return Stream.fromReadableStream({
    evaluate: () => Stream.toReadableStream(bytes).pipeThrough(new DecompressionStream(format) as Decompression),
    onError
  })
}
