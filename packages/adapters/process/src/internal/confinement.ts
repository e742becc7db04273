/** Chooses how far jobs are kept apart: the best level that works on this machine, found by running a job at it. */
import { realpath, stat } from "node:fs/promises"
import { Array as Arr, Effect } from "effect"
import { claimsOf, type Situation } from "./claims.ts"
import { attempt, type FileFailure } from "./files.ts"
import { type JobDirectories, openPlaces } from "./jobDirectory.ts"
import { obstacleTo } from "./shim.ts"
import { type Confinement, directoryMode } from "./shimSpec.ts"

export type Level = Confinement["level"]

export interface Choice {
  readonly confinement: Confinement
  /** Why no better level was taken; empty for the best one. */
  readonly obstacles: ReadonlyArray<string>
}

/** The first of `levels` that works, or what is in the way of each. */
export const choose = Effect.fnUntraced(function* (
  directories: JobDirectories,
  confined: Omit<Confinement, "level">,
  levels: ReadonlyArray<Level>,
  memory?: "cgroup" | "sampled"
): Effect.fn.Return<Choice, ReadonlyArray<string>> {
  const obstacles: Array<string> = []
  for (const level of levels) {
    let obstacle: string | undefined = "no control group for the memory of jobs can be made here"
    // What works without a memory group is worth having, unless somebody insists on it.
    for (const memoryGroups of Arr.dedupe([confined.memoryGroups, undefined])) {
      if (memoryGroups === undefined && memory === "cgroup") continue
      const confinement = { ...confined, level, memoryGroups }
      obstacle = yield* Effect.catch(obstacleAt(directories, confinement), explain)
      if (obstacle === undefined) return { confinement, obstacles }
    }
    obstacles.push(`${level}: ${obstacle}`)
  }
  return yield* Effect.fail(obstacles)
})

const obstacleAt = Effect.fnUntraced(function* (directories: JobDirectories, confinement: Confinement) {
  const { hostIsRoot, level, uids } = confinement
  // Such a script could end every process of the machine, and the kernel would not limit its own.
  if (level === "basic" && hostIsRoot && uids === undefined) return "a host that is root needs `uids` for its jobs"
  yield* openPlaces(directories, directoryMode(confinement))
  const closed = level === "basic" && uids !== undefined ? yield* closedAbove(directories.root) : undefined
  if (closed !== undefined)
    return `users of jobs cannot pass through ${closed}: keep the data elsewhere, or \`chmod o+x ${closed}\``
  return yield* obstacleTo(directories, confinement)
})

/** The first directory on the way to `path`, from the root on, that other users may not pass through. */
const closedAbove = Effect.fnUntraced(function* (path: string) {
  const real = yield* attempt(() => realpath(path))
  const above = real.split("/").map((_, at, names) => names.slice(0, at).join("/") || "/")
  return yield* Effect.map(
    Effect.filter(above, (each) =>
      Effect.map(
        attempt(() => stat(each)),
        ({ mode }) => (mode & 0o001) === 0
      )
    ),
    (closed) => closed[0]
  )
})

const explain = ({ cause, code }: FileFailure) =>
  Effect.succeed(code === "ENOENT" ? "perl is not installed" : String(cause))

export const situationOf = ({
  hostIsRoot,
  level,
  uids
}: Pick<Confinement, "hostIsRoot" | "level" | "uids">): Situation => {
  if (level === "basic") return uids === undefined ? "basicUser" : "basicUids"
  if (uids !== undefined) return "namespaceUids"
  return hostIsRoot ? "namespaceRoot" : "namespaceUser"
}

/** For everybody: no path, and nothing that the system said. Claims no more than is proved. */
export const describe = ({ confinement }: Choice): string => {
  const { hostIsRoot, level, memoryGroups, uids } = confinement
  const user =
    uids !== undefined
      ? `each job has a user of its own (${uids.first} to ${uids.first + uids.count - 1})`
      : hostIsRoot
        ? "unsafe: jobs run as root without capabilities and may do with files what root may"
        : "unsafe: jobs run as the host's user and may do with files what it may"
  const held = claimsOf(situationOf(confinement)).map(({ word }) => word)
  return `${level}: ${held.join(", ")}; ${user}; memory: ${memoryGroups === undefined ? "sampled" : "cgroup"}`
}
