/**
 * The whole core in one process, its clock and its bad luck decided by a seed. `FAIRLEAD_SIMULATION_SEEDS` says how many seeds to run
 * (50 by default), `FAIRLEAD_SIMULATION_FROM` with which to begin.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { simulate, type Verdict } from "./Simulation.ts"
import { regressionSeeds } from "./seeds.ts"

const count = Number(process.env["FAIRLEAD_SIMULATION_SEEDS"] ?? 50)
const from = Number(process.env["FAIRLEAD_SIMULATION_FROM"] ?? 1)

const story = ({ seed, trace, violations }: Verdict) =>
  [
    `seed ${seed} broke: ${violations.join(" · ")}`,
    `run it: FAIRLEAD_SIMULATION_FROM=${seed} FAIRLEAD_SIMULATION_SEEDS=1 npx vitest run packages/core/test/simulation/simulation.test.ts`,
    ...trace.slice(-400)
  ].join("\n")

describe("The whole core under faults", () => {
  it.effect(
    "keeps its promises for every seed",
    () =>
      Effect.gen(function* () {
        for (const seed of [...regressionSeeds, ...Array.from({ length: count }, (_, i) => from + i)]) {
          const verdict = yield* simulate(seed)
          assert.isTrue(verdict.violations.length === 0, story(verdict))
        }
      }),
    20_000 + count * 2_000
  )

  it.effect("plays the same seed in the same way", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* simulate(7), yield* simulate(7)]
      assert.deepStrictEqual(first.trace, second.trace)
    })
  )
})
