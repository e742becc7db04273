/**
 * The directory of a job, which is the truth about it. The host makes it with `spec` alone, all at once:
 *
 *   spec            what the shim shall do, and the script; gone once it was read, because it holds secrets
 *   claim           symbolic link `pid:start time:boot id` of the one shim that has the job
 *   tmp/            the job's /tmp, with its working directory `work` and in it the script
 *   stdout, stderr  output so far, only ever appended to
 *   cancel          exists when the job is asked to end
 *   exit            how it ended; appears complete, by a rename
 *   shim.log      what the shim and its programs complain about
 *   shim          the claim that a shim of before the job has ready
 */
import { randomUUID } from "node:crypto"
import { access, chmod, type FileHandle, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { JobSpec } from "@fairlead/core/runtime/Job"
import type { JobSummary } from "@fairlead/core/runtime/ScriptRuntime"
import { Effect, Option } from "effect"
import { decodeExitRecord, type ExitRecord } from "./exitRecord.ts"
import { attempt, type FileFailure, ifNew, ifPresent, readTarget, readText } from "./files.ts"
import type { Interpreter } from "./languages.ts"
import { type Confinement, shimSpec } from "./shimSpec.ts"

/** Folders below the directory of the runtime. */
export interface JobDirectories {
  readonly root: string
  readonly jobs: string
  /** Job directories in the making; renamed into `jobs` when complete. */
  readonly building: string
  /** Job directories on their way out. */
  readonly trash: string
  /** One empty file for each removed job. */
  readonly removed: string
  /** Lock files of the shims, one for each user id that was ever used. */
  readonly uids: string
  /** What the host has compiled for jobs, which can read it. */
  readonly libraries: string
}

/** Makes the folders, closed to other users. */
export const makeJobDirectories = Effect.fnUntraced(function* (directory: string) {
  const directories: JobDirectories = {
    root: directory,
    jobs: join(directory, "jobs"),
    building: join(directory, "building"),
    trash: join(directory, "trash"),
    removed: join(directory, "removed"),
    uids: join(directory, "uids"),
    libraries: join(directory, "libraries")
  }
  for (const path of Object.values(directories)) yield* attempt(() => mkdir(path, { recursive: true, mode: 0o700 }))
  return directories
})

/** Lets other users pass through the folders, or not. */
export const openPlaces = ({ building, jobs, libraries, root }: JobDirectories, mode: number) =>
  Effect.forEach([root, jobs, building, libraries], (path) => attempt(() => chmod(path, mode)), { discard: true })

/** A directory in which a shim waits, and which lacks only the spec of a job. */
export interface Spare {
  readonly directory: string
  /** Open for writing, and empty. Closed by its owner. */
  readonly spec: FileHandle
}

export interface Preparation {
  /** Asked before the directory is there. */
  readonly allowed?: Effect.Effect<boolean, FileFailure>
  /** To take for it. */
  readonly spare?: Spare | undefined
}

/**
 * Makes the job's directory `target`, complete at once. False when there is one already, which stays as it is, or when
 * `allowed` says no.
 */
export const prepare = Effect.fnUntraced(function* (
  directories: JobDirectories,
  target: string,
  confinement: Confinement,
  spec: JobSpec,
  interpreter: Interpreter,
  { allowed = Effect.succeed(true), spare }: Preparation = {}
) {
  const built = spare?.directory ?? join(directories.building, `${spec.jobId}.${randomUUID()}`)
  if (spare === undefined) yield* attempt(() => mkdir(built, { mode: 0o700 }))
  const content = shimSpec(confinement, spec, interpreter, target)
  const [isAllowed] = yield* Effect.all(
    [allowed, attempt(() => writeFile(spare?.spec ?? join(built, "spec"), content, { mode: 0o600 }))],
    { concurrency: 2 }
  )
  const isNew = isAllowed && (yield* ifNew(attempt(() => rename(built, target))))
  if (!isNew) yield* attempt(() => rm(built, { recursive: true, force: true }))
  return isNew
})

export type JobState =
  | { readonly _tag: "Absent" }
  /** Complete, but no shim has claimed it: it may be given to one. */
  | { readonly _tag: "Prepared" }
  | { readonly _tag: "Running" }
  | { readonly _tag: "Ended"; readonly record: ExitRecord }
  /** Claimed by a shim that is gone and left no record. Never to be started again. */
  | { readonly _tag: "Lost"; readonly detail: string }

/** As the port names it; none for a job that is not here. */
export const summaryState = ({ _tag }: JobState): Option.Option<JobSummary["state"]> => {
  switch (_tag) {
    case "Absent":
      return Option.none()
    case "Prepared":
      return Option.some("prepared")
    case "Running":
      return Option.some("running")
    case "Ended":
      return Option.some("ended")
    case "Lost":
      return Option.some("lost")
  }
}

export const stateOf = Effect.fnUntraced(function* (directory: string, bootId: string) {
  const ended = yield* endOf(directory)
  if (ended !== undefined) return ended
  const claim = yield* readTarget(join(directory, "claim"))
  if (claim === undefined) return yield* stateOfUnclaimed(directory)
  if (yield* isAlive(claim, bootId)) return { _tag: "Running" } satisfies JobState
  // The shim may have ended between the two looks.
  return (yield* endOf(directory)) ?? (yield* lost(directory))
})

/** The end as far as the shim has recorded it. */
export const endOf = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<JobState | undefined, FileFailure> {
  const text = yield* readText(join(directory, "exit"))
  if (text === undefined) return undefined
  const record = decodeExitRecord(text)
  if (Option.isNone(record)) return { _tag: "Lost", detail: "the record of its end is unreadable" }
  return { _tag: "Ended", record: record.value }
})

const stateOfUnclaimed = Effect.fnUntraced(function* (directory: string): Effect.fn.Return<JobState, FileFailure> {
  const exists = yield* ifPresent(
    Effect.as(
      attempt(() => access(directory)),
      true
    )
  )
  return exists === true ? { _tag: "Prepared" } : { _tag: "Absent" }
})

const lost = Effect.fnUntraced(function* (directory: string): Effect.fn.Return<JobState, FileFailure> {
  const log = (yield* readText(join(directory, "shim.log"))) ?? ""
  const lastWords = log.match(/^shim: .*/m)?.[0].slice(0, 200)
  return { _tag: "Lost", detail: lastWords ?? "its shim was killed" }
})

/** Whether the shim of a claim lives. A process id alone may have been given to another process since. */
export const isAlive = Effect.fnUntraced(function* (claim: string, bootId: string) {
  const [pid, startTime, claimedBootId] = claim.split(":")
  if (claimedBootId !== bootId) return false
  const stat = yield* readText(`/proc/${pid}/stat`)
  // The second field is the program's name in brackets, which may contain anything.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? []
  return state !== undefined && state !== "Z" && state !== "X" && fields[18] === startTime
})

/** Takes a prepared job away from every shim. False when one has claimed it. */
export const claimForRemoval = (directory: string) =>
  ifNew(attempt(() => symlink("0:0:removed", join(directory, "claim"))))
