/** Decisions drawn from a seed: the same seed gives the same decisions on any machine. */

export interface Random {
  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number
  /** `true` with a probability from 0 to 1. */
  chance(probability: number): boolean
  pick<A>(choices: ReadonlyArray<A>): A
}

/** The generator of `mulberry32`: 32 bits of state are enough, for the seeds differ. */
export const fromSeed = (seed: number): Random => {
  let state = (seed * 0x9e3779b1) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number) => Math.floor(next() * bound)
  return {
    below,
    chance: (probability) => probability > 0 && next() < probability,
    pick: <A>(choices: ReadonlyArray<A>) => {
      if (choices.length === 0) throw new Error("nothing to pick from")
      return choices[below(choices.length)] as A
    }
  }
}
