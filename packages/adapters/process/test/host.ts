/** A host process for crash tests: `host.ts <directory> <count>` starts jobs 0 to count-1, prints `started`, and stays until it is killed. */
import { appendFileSync } from "node:fs"
import { dirname } from "node:path"
import { argv } from "node:process"
import { make } from "@fairlead/process/ProcessRuntime"
import { Effect } from "effect"
import { crashJob } from "./crashJob.ts"

const [directory = "", count = "0"] = argv.slice(2)

Effect.runFork(
  Effect.scoped(
    Effect.gen(function* () {
      const runtime = yield* make({
        directory,
        languages: ["bash"],
        shared: [dirname(directory)],
        unsafeScriptsAsHostUser: true
      })
      for (let at = 0; at < Number(count); at++) yield* runtime.start(crashJob(runtime, directory, at))
      appendFileSync(1, "started\n")
      return yield* Effect.never
    })
  )
)
