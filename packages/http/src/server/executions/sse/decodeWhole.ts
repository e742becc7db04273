/** Whole characters of UTF-8 as text. */

/** `exact` is false when some bytes are not UTF-8 and appear as U+FFFD. `bytes` begins and ends between characters. */
export const decodeWhole = (bytes: Uint8Array): { readonly text: string; readonly exact: boolean } => {
  const text = decoder.decode(bytes)
  return { text, exact: !text.includes("\ufffd") || isSame(encoder.encode(text), bytes) }
}

/** A byte order mark is part of what the script wrote. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const encoder = new TextEncoder()
const isSame = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i])
