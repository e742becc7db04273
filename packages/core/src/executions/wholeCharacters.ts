/** Cuts bytes of UTF-8 between characters. Bytes that can never become a character are not waited for. */

/** How many bytes at the end may be the beginning of a character whose rest is still to come; 0 to 3. */
export const incompleteTail = (bytes: Uint8Array): number => {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const lead = bytes[bytes.length - length] ?? 0
    if (isContinuation(lead)) continue
    const second = bytes[bytes.length - length + 1]
    return sizeOf(lead) > length && (second === undefined || mayFollow(lead, second)) ? length : 0
  }
  return 0
}

const isContinuation = (byte: number) => byte >= 0x80 && byte <= 0xbf

/** Bytes of the character that `lead` begins; 1 also for a byte that begins none. */
const sizeOf = (lead: number) => {
  if (lead >= 0xc2 && lead <= 0xdf) return 2
  if (lead >= 0xe0 && lead <= 0xef) return 3
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 1
}

/** Some leads narrow the second byte: no overlong forms, no surrogates, nothing above U+10FFFF. */
const mayFollow = (lead: number, second: number) => {
  if (lead === 0xe0) return second >= 0xa0
  if (lead === 0xed) return second <= 0x9f
  if (lead === 0xf0) return second >= 0x90
  return lead !== 0xf4 || second <= 0x8f
}
