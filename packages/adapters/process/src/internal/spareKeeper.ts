/** A keeper that waits for its job in a directory of its own, so that a start has nothing left to make. */
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { Effect, Latch, type Scope } from "effect"
import type { Places } from "./jobDirectory.ts"
import type { Launcher } from "./launcher.ts"

/** The script that was started goes first. */
const courtesyMillis = 20
const failurePauseMillis = 10_000
/** Then another one takes its place, before anybody takes the directory for a leftover. */
const maximumAgeMillis = 1_800_000

export interface SpareKeeper {
  /** Gives the directory to `start` and to nobody else; `undefined` when none is ready. The next one is made afterwards. */
  use<A, E, R>(start: (directory: string | undefined) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
}

/** Keeps at most one ready, which ends with the scope of the launcher. */
export const makeSpareKeeper = Effect.fnUntraced(function* (
  places: Places,
  launcher: Launcher
): Effect.fn.Return<SpareKeeper, never, Scope.Scope> {
  let ready: string | undefined
  const used = Latch.makeUnsafe(false)
  const take = () => {
    const directory = ready
    ready = undefined
    return directory
  }

  const round = Effect.gen(function* () {
    const directory = join(places.building, `spare.${randomUUID()}`)
    yield* used.close
    yield* launcher.prepare(directory)
    ready = directory
    yield* Effect.timeoutOption(used.await, maximumAgeMillis)
    const old = take()
    if (old !== undefined) yield* launcher.deleteTree(old)
    yield* Effect.sleep(courtesyMillis)
  }).pipe(
    // Only speed is lost.
    Effect.catch((failure) =>
      Effect.delay(Effect.logDebug("No keeper could be made ready", failure.cause), failurePauseMillis)
    )
  )
  yield* Effect.forkScoped(Effect.forever(round))

  return {
    use: (start) =>
      Effect.suspend(() => {
        const directory = take()
        return directory === undefined ? start(directory) : Effect.ensuring(start(directory), used.open)
      })
  }
})
