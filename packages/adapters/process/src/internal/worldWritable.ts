/** Directories of this machine to which every user can write: there jobs may leave files. */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { attempt, ifPresent } from "./files.ts"

const maximumDepth = 4
const maximumDirectories = 20_000
/** What the kernel makes up, and what jobs cannot reach. */
const left = new Set(["/proc", "/sys", "/root", "/lost+found"])

/** Found by a bounded walk from the root, which does not look into those that everybody may write to: the shim does. */
export const worldWritable = Effect.gen(function* () {
  const found: Array<string> = []
  let level = ["/"]
  let seen = 0
  for (let depth = 0; depth <= maximumDepth && level.length > 0 && seen < maximumDirectories; depth++) {
    seen += level.length
    const below = yield* Effect.forEach(level, (path) => look(path, found), { concurrency: 16 })
    level = below.flat().slice(0, maximumDirectories - seen)
  }
  return found.toSorted()
})

/** Notes the directory if it is one, else gives the directories in it. What cannot be read has nothing to tell. */
const look = (path: string, found: Array<string>) =>
  Effect.gen(function* () {
    const state = yield* ifPresent(attempt(() => stat(path)))
    if (state === undefined) return []
    if ((state.mode & 0o003) === 0o003) {
      found.push(path)
      return []
    }
    if ((state.mode & 0o001) === 0) return []
    const entries = yield* attempt(() => readdir(path, { withFileTypes: true }))
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name))
  }).pipe(
    Effect.map((paths) => paths.filter((each) => !left.has(each))),
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )
