/** Removes what jobs leave behind. */
import { randomUUID } from "node:crypto"
import { readdir, rename, rm, stat, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import type { JobId } from "@fairlead/core/runtime/JobId"
import { Clock, Effect } from "effect"
import { attempt, ifPresent, sizeOf } from "./files.ts"
import { isAlive, type JobDirectories } from "./jobDirectory.ts"
import type { Launcher } from "./launcher.ts"
import { clearMemoryGroups } from "./memoryGroups.ts"

const dayMillis = 86_400_000
const hourMillis = 3_600_000

const tombstone = (directories: JobDirectories, jobId: JobId) => join(directories.removed, jobId)

export const isRemoved = (directories: JobDirectories, jobId: JobId) =>
  Effect.map(sizeOf(tombstone(directories, jobId)), (size) => size !== undefined)

/** Refuses the id from now on, and frees what its directory holds. The tombstone comes first: no start may slip in between. */
export const bury = Effect.fnUntraced(function* (directories: JobDirectories, launcher: Launcher, jobId: JobId) {
  yield* attempt(() => writeFile(tombstone(directories, jobId), "", { mode: 0o600 }))
  const grave = join(directories.trash, `${jobId}.${randomUUID()}`)
  yield* ifPresent(attempt(() => rename(join(directories.jobs, jobId), grave)))
  yield* launcher.deleteTree(grave)
})

/** Forgets tombstones after a day, and clears away what crashed hosts have left half made or half deleted. */
export const sweep = Effect.fnUntraced(function* (directories: JobDirectories, launcher: Launcher) {
  yield* forgetOlderThan(directories.removed, dayMillis, (path) => attempt(() => rm(path, { force: true })))
  yield* forgetOlderThan(directories.building, hourMillis, launcher.deleteTree)
  yield* forgetOlderThan(directories.trash, hourMillis, launcher.deleteTree)
})

/** Ends what shims that were killed have left in memory groups. */
export const sweepMemoryGroups = (path: string, bootId: string) =>
  clearMemoryGroups(path, (pid, startTime) => isAlive(`${pid}:${startTime}:${bootId}`, bootId))

const forgetOlderThan = Effect.fnUntraced(function* <A, E>(
  folder: string,
  ageMillis: number,
  forget: (path: string) => Effect.Effect<A, E>
) {
  const now = yield* Clock.currentTimeMillis
  const names = yield* attempt(() => readdir(folder))
  yield* Effect.forEach(
    names.map((name) => join(folder, basename(name))),
    (path) =>
      Effect.gen(function* () {
        const found = yield* ifPresent(attempt(() => stat(path)))
        if (found !== undefined && now - found.ctimeMs > ageMillis) yield* forget(path)
      }),
    { concurrency: 8, discard: true }
  )
})
