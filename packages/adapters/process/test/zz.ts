import { make } from "@fairlead/process/ProcessRuntime"
import { contractJob, observeAll, readable } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { Effect } from "effect"
import { mkdtempSync, readFileSync, readdirSync } from "node:fs"
await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
  const directory = mkdtempSync("/tmp/pr-nobody-")
  const r = yield* make({ directory, languages: ["bash"], level: "basic" })
  const t = performance.now()
  const h = yield* r.start(contractJob(r, "bash", ["bomb() { bomb & bomb & wait; }; sleep 0.01; bomb"], { processes: 48, timeoutMillis: 2000 }))
  const o = yield* observeAll(r, h)
  console.log(performance.now() - t, JSON.stringify(readable(o)).slice(0, 600), JSON.stringify(o.report))
  const d = `${directory}/jobs/${readdirSync(directory + "/jobs")[0]}`
  console.log(readdirSync(d), readFileSync(d + "/keeper.log", "utf8"))
})))
