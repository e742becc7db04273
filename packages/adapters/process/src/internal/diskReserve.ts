/** What jobs leave free on the file system of their directory. Asked often, and answered from the memory of the kernel. */
import { statfsSync } from "node:fs"
import type { RuntimeObstacle } from "@fairlead/core/runtime/ScriptRuntime"
import { Effect } from "effect"
import { atOnce } from "./files.ts"

/** `disk` while less than `reserveBytes` is free. A file system that does not say has room. */
export const diskObstacle = (directory: string, reserveBytes: number): Effect.Effect<RuntimeObstacle | undefined> =>
  atOnce(() => statfsSync(directory)).pipe(
    Effect.map(({ bavail, bsize }): RuntimeObstacle | undefined =>
      bavail * bsize < reserveBytes ? "disk" : undefined
    ),
    Effect.orElseSucceed(() => undefined)
  )
