/** The caller's key, or a new one of 128 random bits: `crypto.randomUUID` is not there on pages without https. */
export const idempotencyKeyOf = (given: string | undefined): string =>
  given ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
