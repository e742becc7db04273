import { assert, it } from "vitest"
import { freeUids } from "../src/freeUids.ts"

/** Of homes, their mappings, greeters, services, and what 16 bits cannot hold: https://systemd.io/UIDS-GIDS. */
const taken = [
  [60_001, 60_513],
  [60_514, 60_577],
  [60_578, 60_705],
  [61_184, 65_519],
  [65_520, 2 ** 32]
] as const

it("user ids for scripts are not those of systemd, nor of the other range", () => {
  const ranges = Object.values(freeUids).map(({ count, first }) => [first, first + count - 1] as const)
  for (const [first, last] of ranges) {
    const others = [...taken, ...ranges.filter((range) => range[0] !== first)]
    assert.deepStrictEqual(
      others.filter((other) => first <= other[1] && other[0] <= last),
      []
    )
  }
})
