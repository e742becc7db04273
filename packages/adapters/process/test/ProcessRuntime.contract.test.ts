import { suite } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { bash, levels, node, place, python } from "./fixtures.ts"

suite("processes, as configured by default (bash)", place({ languages: ["bash"] }), bash)
for (const [name, options] of levels) {
  const scripts = options.level === "basic" ? node : python
  suite(
    `processes, at level ${name} (${scripts.language})`,
    place({ ...options, languages: [scripts.language] }),
    scripts
  )
}
