/** Finds the control group below which each job can have a memory group, and clears away groups whose shim was killed. */
import { mkdir, readdir, rmdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { kill, pid as ownPid } from "node:process"
import { Effect } from "effect"
import { attempt, type FileFailure, readText } from "./files.ts"

/** A control group that has, or may pass on, the memory controller. */
export interface Candidate {
  readonly version: 1 | 2
  readonly path: string
}

/**
 * Where memory groups of jobs could be, from the texts of /proc/self/cgroup and /proc/self/mountinfo. In version 1 below the host's own
 * group. In version 2 a group with processes cannot have others below it that are limited: so beside the host's own in the group of its
 * service, which is how systemd lays it out with `Delegate=memory` and `DelegateSubgroup=`. Pure.
 */
export const candidateOf = (groups: string, mounts: string): Candidate | undefined => {
  const [first, second] = [groupIn(groups, /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m), groupIn(groups, /^0::(.*)$/m)]
  const hierarchies = mounts.split("\n").flatMap((line) => {
    const [, root, place, type, options] = /^\S+ \S+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$/.exec(line) ?? []
    return root !== undefined && place !== undefined && type !== undefined && options !== undefined
      ? [{ root, place, type, options: options.split(",") }]
      : []
  })
  const old = hierarchies.find(({ options, type }) => type === "cgroup" && options.includes("memory"))
  if (old !== undefined && first !== undefined) return located(1, old, first)
  const unified = hierarchies.find(({ type }) => type === "cgroup2")
  const service = second === undefined ? undefined : groupIn(second, /^(.*\.(?:service|scope))\/[^/]+$/)
  return unified === undefined || service === undefined ? undefined : located(2, unified, service)
}

const groupIn = (groups: string, line: RegExp) => line.exec(groups)?.[1]

/** Undefined for a group that the mount does not show. */
const located = (
  version: 1 | 2,
  { place, root }: { readonly place: string; readonly root: string },
  group: string
): Candidate | undefined => {
  const prefix = root === "/" ? "" : root
  return group === prefix || group.startsWith(`${prefix}/`)
    ? { version, path: `${place}${group.slice(prefix.length)}`.replace(/\/$/, "") }
    : undefined
}

/** The control group for memory groups of jobs; undefined where this host cannot make them. Makes one for trial. */
export const findMemoryGroups = Effect.gen(function* () {
  const [groups = "", mounts = ""] = yield* Effect.all([
    readText("/proc/self/cgroup"),
    readText("/proc/self/mountinfo")
  ])
  const candidate = candidateOf(groups, mounts)
  return candidate === undefined ? undefined : yield* usable(candidate)
}).pipe(Effect.orElseSucceed(() => undefined))

/** The path of the candidate, if a group below it has limits of memory. */
export const usable = Effect.fnUntraced(function* ({ path, version }: Candidate) {
  if (version === 2) {
    const passedOn = join(path, "cgroup.subtree_control")
    if (!/\bmemory\b/.test((yield* readText(passedOn)) ?? "")) yield* attempt(() => writeFile(passedOn, "+memory"))
  }
  const trial = join(path, `fairlead-trial-${ownPid}`)
  const limit = join(trial, version === 1 ? "memory.limit_in_bytes" : "memory.max")
  yield* Effect.acquireUseRelease(
    attempt(() => mkdir(trial)),
    () => attempt(() => writeFile(limit, "1073741824", { flag: "r+" })),
    () => Effect.ignore(attempt(() => rmdir(trial)))
  )
  return path
})

/** Ends what is in memory groups whose shim is gone, and removes them. `isAlive` is asked with process id and start time. */
export const clearMemoryGroups = Effect.fnUntraced(function* (
  path: string,
  isAlive: (pid: string, startTime: string) => Effect.Effect<boolean, FileFailure>
) {
  const names = yield* attempt(() => readdir(path))
  for (const name of names) {
    const [, pid, startTime] = /^fairlead-(\d+)-(\d+)$/.exec(name) ?? []
    if (pid === undefined || startTime === undefined || (yield* isAlive(pid, startTime))) continue
    const group = join(path, name)
    const members = (yield* readText(join(group, "cgroup.procs"))) ?? ""
    yield* Effect.forEach(members.split("\n").filter(isProcessId), endProcess, { discard: true })
    // Ended processes leave it a little later: then the next look removes it.
    yield* Effect.ignore(attempt(() => rmdir(group)))
  }
})

const isProcessId = (line: string) => /^[1-9]\d*$/.test(line)

const endProcess = (pid: string) => Effect.ignore(Effect.try(() => kill(Number(pid), "SIGKILL")))
