/** Random bytes drawn 4 KiB at a time: a call of the system for each identity costs more than the identity. */

const poolBytes = 4096

/** Bytes are handed out once, and wiped from the pool as they are. `fill` is the cryptographic source; longer draws go to it. */
export const pooled = (fill: (bytes: Uint8Array<ArrayBuffer>) => void): ((size: number) => Uint8Array<ArrayBuffer>) => {
  const pool = new Uint8Array(poolBytes)
  let used = poolBytes
  return (size) => {
    if (size > poolBytes / 4) {
      const own = new Uint8Array(size)
      fill(own)
      return own
    }
    if (used + size > poolBytes) {
      fill(pool)
      used = 0
    }
    const drawn = pool.slice(used, used + size)
    pool.fill(0, used, used + size)
    used += size
    return drawn
  }
}
