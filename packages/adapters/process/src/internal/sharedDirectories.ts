/** Directories of the machine to which scripts may write. */
import { stat } from "node:fs/promises"
import { Effect } from "effect"
import { ProcessRuntimeUnavailable } from "../ProcessRuntimeUnavailable.ts"
import { attempt, ifPresent } from "./files.ts"

/** Fails for the first that is none: a mount of it would fail in each job. */
export const checkShared = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  for (const path of paths) {
    const found = yield* ifPresent(attempt(() => stat(path)))
    if (found?.isDirectory() !== true)
      return yield* new ProcessRuntimeUnavailable({
        reason: "options",
        detail: `shared: ${path} is not a directory; make it, or leave it out`
      })
  }
})
