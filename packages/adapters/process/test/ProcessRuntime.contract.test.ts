import { geteuid } from "node:process"
import { suite } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { bash, node, place, python } from "./fixtures.ts"

suite("processes, at the best level (bash)", place(), bash)
suite("processes, at the best level (python)", place(), python)
suite("processes, at level basic (bash)", place({ level: "basic" }), bash)
if (geteuid?.() === 0) {
  suite("processes, as users of their own (python)", place({ uids: { first: 64_100, count: 16 } }), python)
  suite(
    "processes, as users of their own at level basic (node)",
    place({ level: "basic", uids: { first: 64_200, count: 16 } }),
    node
  )
}
