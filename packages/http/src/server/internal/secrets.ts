/** Credentials as secrets, each made once: making one for every request costs more than all look-ups behind it. */
import { Redacted } from "effect"

/** Characters; longer credentials are none of ours, and are not kept. */
const maximumKeptLength = 1_024

/** Keeps the last `capacity` to twice as many. Kept or not says nothing about a credential: that is asked each time. */
export const makeSecrets = (capacity: number): ((text: string) => Redacted.Redacted) => {
  let young = new Map<string, Redacted.Redacted>()
  let old: ReadonlyMap<string, Redacted.Redacted> = young
  return (text) => {
    const kept = young.get(text)
    if (kept !== undefined) return kept
    const secret = old.get(text) ?? Redacted.make(text)
    if (text.length > maximumKeptLength) return secret
    if (young.size >= capacity) {
      old = young
      young = new Map()
    }
    young.set(text, secret)
    return secret
  }
}
