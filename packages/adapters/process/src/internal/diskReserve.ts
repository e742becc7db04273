/** What jobs leave free on the file system of their directory. Asked often, and answered from the memory of the kernel. */
import { statfsSync } from "node:fs"
import type { RuntimeObstacle } from "@fairlead/core/runtime/ScriptRuntime"
import { Effect } from "effect"
import { atOnce } from "./files.ts"

/** Names that are left free with the bytes; of a small file system a twentieth. As in Disk.pm. */
const reserveNames = 10_000

/** `disk` while less than `reserveBytes` is free, or hardly a name for one more file. A file system that does not say has room. */
export const diskObstacle = (directory: string, reserveBytes: number): Effect.Effect<RuntimeObstacle | undefined> =>
  atOnce(() => statfsSync(directory)).pipe(
    Effect.map(({ bavail, bsize, ffree, files }): RuntimeObstacle | undefined =>
      reserveBytes > 0 && (bavail * bsize < reserveBytes || ffree < Math.min(reserveNames, files / 20))
        ? "disk"
        : undefined
    ),
    Effect.orElseSucceed(() => undefined)
  )
