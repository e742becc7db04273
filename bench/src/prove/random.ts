/** Numbers that a seed decides, so that a run can be made again. */
export interface Random {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number, both ends inclusive. */
  between(minimum: number, maximum: number): number
  pick<A>(from: ReadonlyArray<A>): A
}

/** The generator mulberry32. */
export const seeded = (seed: number): Random => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (minimum: number, maximum: number) => minimum + Math.floor(next() * (maximum - minimum + 1))
  return {
    next,
    between,
    pick: (from) => {
      const found = from[between(0, from.length - 1)]
      if (found === undefined) throw new Error("nothing to pick from")
      return found
    }
  }
}
