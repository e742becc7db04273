import { suite } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { bash, levels, node, place, python } from "./fixtures.ts"

suite("processes, as configured by default (bash)", place({ languages: ["bash"] }), bash)
suite("processes, at level basic (python)", place({ level: "basic", languages: ["python"] }), python)
for (const [name, options] of levels)
  suite(`processes, at level ${name} (node)`, place({ ...options, languages: ["node"] }), node)
