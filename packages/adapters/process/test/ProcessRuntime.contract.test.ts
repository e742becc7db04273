import { suite } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { Effect } from "effect"
import { bash, levels, node, place, python } from "./fixtures.ts"

const contractNode = (options: Parameters<typeof place>[0]) =>
  Effect.map(place(options), ({ host }) => ({ instance: host }))

suite("processes, as configured by default (bash)", contractNode({ languages: ["bash"] }), bash)
for (const [name, options] of levels) {
  const scripts = options.level === "basic" ? node : python
  suite(
    `processes, at level ${name} (${scripts.language})`,
    contractNode({ ...options, languages: [scripts.language] }),
    scripts
  )
}
