/** A shim that waits for its job in a directory of its own, so that a start has nothing left to make. */
import { randomUUID } from "node:crypto"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Latch, type Scope } from "effect"
import { attempt } from "./files.ts"
import type { JobDirectories, Spare } from "./jobDirectory.ts"
import type { Launcher } from "./launcher.ts"

/** The host writes down first that the script was started. */
const courtesyMillis = 5
const failurePauseMillis = 10_000
/** Then another one takes its place, before anybody takes the directory for a leftover. */
const maximumAgeMillis = 1_800_000

export interface SpareShim {
  /** Gives the directory to `start` and to nobody else; `undefined` when none is ready. The next one is made afterwards. */
  use<A, E, R>(start: (spare: Spare | undefined) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
}

/** Keeps at most one ready, which ends with the scope of the launcher. */
export const makeSpareShim = Effect.fnUntraced(function* (
  directories: JobDirectories,
  launcher: Launcher
): Effect.fn.Return<SpareShim, never, Scope.Scope> {
  let ready: Spare | undefined
  let isTaken = false
  const used = Latch.makeUnsafe(false)
  const take = () => {
    const spare = ready
    ready = undefined
    isTaken ||= spare !== undefined
    return spare
  }

  const round = Effect.gen(function* () {
    const directory = join(directories.building, `spare.${randomUUID()}`)
    isTaken = false
    yield* used.close
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        ready = undefined
        return isTaken ? Effect.void : Effect.ignore(launcher.deleteTree(directory))
      })
    )
    yield* launcher.prepare(directory)
    const spec = yield* Effect.acquireRelease(
      attempt(() => open(join(directory, "spec"), "r+")),
      (file) => Effect.ignore(attempt(() => file.close()))
    )
    ready = { directory, spec }
    yield* Effect.timeoutOption(used.await, maximumAgeMillis)
    ready = undefined
    if (isTaken) yield* used.await
    yield* Effect.sleep(courtesyMillis)
  }).pipe(
    Effect.scoped,
    // Only speed is lost.
    Effect.catch((failure) =>
      Effect.delay(Effect.logDebug("No shim could be made ready", failure.cause), failurePauseMillis)
    )
  )
  yield* Effect.forkScoped(Effect.forever(round))

  return {
    use: (start) =>
      Effect.suspend(() => {
        const spare = take()
        return spare === undefined ? start(spare) : Effect.ensuring(start(spare), used.open)
      })
  }
})
