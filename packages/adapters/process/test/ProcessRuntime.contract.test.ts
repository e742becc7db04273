import { suite } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { bash, levels, node, place, python } from "./fixtures.ts"

suite("processes, as configured by default (bash)", place(), bash)
suite("processes, at level basic (python)", place({ level: "basic" }), python)
for (const [name, options] of levels) suite(`processes, at level ${name} (node)`, place(options), node)
