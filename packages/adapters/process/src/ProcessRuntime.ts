/**
 * Runs scripts as processes of this machine. Each job belongs to a shim process of its own and lives in a directory; this host only
 * prepares the directory, and reads it. So a job goes on when the host dies, and any later host on the same directory finds it.
 */
import { readdir, readFile, realpath, writeFile } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import { geteuid, platform } from "node:process"
import type { JobHandle } from "@fairlead/core/runtime/Job"
import { JobId } from "@fairlead/core/runtime/JobId"
import { RuntimeError } from "@fairlead/core/runtime/RuntimeError"
import type { JobSummary, ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Effect, Layer, Option, Schedule, Schema, type Scope, Stream } from "effect"
import { choose, describe, type Level } from "./internal/confinement.ts"
import { diskObstacle } from "./internal/diskReserve.ts"
import { attempt, type FileFailure, ifPresent } from "./internal/files.ts"
import { makeGoLibraries } from "./internal/goLibraries.ts"
import { bury, sweep, sweepMemoryGroups } from "./internal/housekeeping.ts"
import { checkUsers, makeAccounts } from "./internal/jobAccounts.ts"
import { claimForRemoval, makeJobDirectories, stateOf, summaryState } from "./internal/jobDirectory.ts"
import { discover, hostPath, languagesOf } from "./internal/languages.ts"
import { makeLauncher } from "./internal/launcher.ts"
import { findMemoryGroups } from "./internal/memoryGroups.ts"
import { nodeName } from "./internal/nodeName.ts"
import { observation } from "./internal/observation.ts"
import { absentReport, failed, failingIn } from "./internal/runtimeErrors.ts"
import { checkShared } from "./internal/sharedDirectories.ts"
import { ownFolders } from "./internal/shimSpec.ts"
import { makeSpareShim } from "./internal/spareShim.ts"
import { handleOf, type StartingMachine, startIn } from "./internal/startJob.ts"
import { worldWritable } from "./internal/worldWritable.ts"
import { ProcessRuntimeUnavailable } from "./ProcessRuntimeUnavailable.ts"

const Absolute = Schema.String.check(Schema.makeFilter(isAbsolute, { expected: "an absolute path" }))

export const ProcessRuntimeOptions = Schema.Struct({
  /** Where jobs live. Absolute, on a local disk that survives the host; made when it is missing. */
  directory: Absolute,
  /**
   * User ids for jobs, one for each job that runs at a time; more jobs wait. Needs a host that is root. Refused when the machine uses one of
   * them otherwise: passwd, group, subuid.
   */
  uids: Schema.optionalKey(
    Schema.Struct({
      first: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4_000_000_000 })),
      count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))
    })
  ),
  /**
   * Without `uids` scripts run as the host's user: they may read, change and delete what it may, the data of the host too. Refused unless
   * this is true.
   */
  unsafeScriptsAsHostUser: Schema.optionalKey(Schema.Boolean),
  /** The level to insist on. Default: `namespace` where it works, else `basic`. */
  level: Schema.optionalKey(Schema.Literals(["namespace", "basic"])),
  /**
   * What holds the memory of jobs: `cgroup`, exactly, needs a control group that the host may divide; `sampled`: the shim, which looks at
   * it. Default: `cgroup` where it works.
   */
  memory: Schema.optionalKey(Schema.Literals(["cgroup", "sampled"])),
  /** Absolute paths of directories that scripts shall find empty, besides `directory`. Level `namespace` only. */
  hidden: Schema.optionalKey(Schema.Array(Absolute)),
  /**
   * Absolute paths of directories to which scripts can write as far as their user may, and where what they leave stays. Level `namespace`
   * only: there all else of the machine is read-only for scripts.
   */
  shared: Schema.optionalKey(Schema.Array(Absolute)),
  /** From asking a job to end to killing it; 0 to 1000, default 1000. */
  killGraceMillis: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))),
  /**
   * Free bytes that jobs leave on the file system of `directory`: below it none is started, and of those that grow the one ends that takes the
   * most, as `disk_reserve`. Default 0: none.
   */
  diskReserveBytes: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  /**
   * Bytes a second that a job may write to its output once it has written 32 MiB faster than that: it blocks until they are read. Default
   * 8 MiB.
   */
  outputRateBytes: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /**
   * `interpreter`: absolute path of the Python to offer, or of the folder of a virtual environment, with the packages of either; default: all
   * that are found, without those of environments. `isolated`: whether scripts run in Python's isolated mode, in which they import nothing from
   * their own folder and PYTHON* variables have no effect; default true.
   */
  python: Schema.optionalKey(
    Schema.Struct({ interpreter: Schema.optionalKey(Absolute), isolated: Schema.optionalKey(Schema.Boolean) })
  ),
  /** Names of the languages to offer. Default: all that are found. */
  languages: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  /** Folders in which interpreters are looked for, separated by colons. Default: PATH of the host. */
  interpreterPath: Schema.optionalKey(Schema.String)
})
export type ProcessRuntimeOptions = typeof ProcessRuntimeOptions.Type

/** Registers the runtime. Jobs outlive the layer. */
export const layer = (options: ProcessRuntimeOptions): Layer.Layer<never, ProcessRuntimeUnavailable, ScriptRuntimes> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const runtimes = yield* ScriptRuntimes
      yield* runtimes.register(yield* make(options))
    })
  )

/** The runtime by itself. Takes up to a second: tries what this machine can do and asks every interpreter for its version. */
export const make = Effect.fn("ProcessRuntime.make")(function* (
  options: ProcessRuntimeOptions
): Effect.fn.Return<ScriptRuntime, ProcessRuntimeUnavailable, Scope.Scope> {
  yield* checkOptions(options)
  const levels: ReadonlyArray<Level> = options.level === undefined ? ["namespace", "basic"] : [options.level]
  const { bootId, directory, node, directories } = yield* Effect.mapError(openDirectory(options), unavailableDirectory)
  const users = Effect.andThen(checkShared(options.shared ?? []), makeAccounts(options, directories))
  yield* Effect.catchTag(users, "FileFailure", (failure) => Effect.fail(unavailableDirectory(failure)))
  const confined = {
    uids: options.uids,
    hostIsRoot: geteuid?.() === 0,
    hidden: [directory, ...(options.hidden ?? [])],
    shared: options.shared ?? [],
    cleared: options.uids === undefined ? [] : yield* worldWritable,
    memoryGroups: options.memory === "sampled" ? undefined : yield* findMemoryGroups,
    killGraceMillis: options.killGraceMillis ?? 1_000,
    diskReserveBytes: options.diskReserveBytes ?? 0,
    outputRateBytes: options.outputRateBytes ?? 8 * 1024 ** 2
  }
  const [choice, interpreters] = yield* Effect.all(
    [
      Effect.mapError(choose(directories, confined, levels, options.memory), unavailableShim),
      discover({
        path: options.interpreterPath ?? (yield* hostPath),
        unreachable: [...(levels[0] === "namespace" ? ownFolders : []), ...confined.hidden],
        uid: options.uids?.first,
        languages: options.languages,
        python: options.python ?? {}
      })
    ],
    { concurrency: 2 }
  )
  const isolation = describe(choice)
  const isWeak = choice.obstacles.length > 0 || (confined.hostIsRoot && confined.uids === undefined)
  const obstacles = choice.obstacles.map((obstacle) => `; not available: ${obstacle}`).join("")
  yield* (isWeak ? Effect.logWarning : Effect.logDebug)(
    `Scripts run as processes of this machine, ${isolation}${obstacles}`
  )
  const launcher = yield* makeLauncher(choice.confinement)
  const { memoryGroups } = choice.confinement
  yield* Effect.forkScoped(
    sweep(directories, launcher).pipe(
      Effect.andThen(memoryGroups === undefined ? Effect.void : sweepMemoryGroups(memoryGroups, bootId)),
      // A folder that cannot be cleared today is tried again; nothing else depends on it.
      Effect.catch((failure) => Effect.logWarning("Could not clear away old jobs", failure.cause)),
      Effect.repeat(Schedule.spaced("1 hour"))
    )
  )
  const { confinement } = choice
  const spare = yield* makeSpareShim(directories, launcher)
  const goLibraries = yield* Effect.mapError(
    makeGoLibraries({ directories, confinement, launcher, interpreters }),
    unavailableDirectory
  )
  return runtimeOf({ directories, bootId, node, confinement, launcher, spare, interpreters, goLibraries, isolation })
})

const checkOptions = (options: ProcessRuntimeOptions) =>
  Effect.gen(function* () {
    if (platform !== "linux")
      return yield* new ProcessRuntimeUnavailable({ reason: "platform", detail: `needs Linux, this is ${platform}` })
    yield* Effect.mapError(
      Schema.decodeEffect(Schema.toType(ProcessRuntimeOptions))(options),
      ({ message }) => new ProcessRuntimeUnavailable({ reason: "options", detail: message })
    )
    yield* checkUsers(options)
  })

const openDirectory = Effect.fnUntraced(function* (options: ProcessRuntimeOptions) {
  const directories = yield* makeJobDirectories(options.directory)
  const directory = yield* attempt(() => realpath(options.directory))
  const bootId = (yield* attempt(() => readFile("/proc/sys/kernel/random/boot_id", "utf8"))).trim()
  return { bootId, directory, node: yield* nodeName(directory), directories }
})

const unavailableDirectory = ({ cause }: FileFailure) =>
  new ProcessRuntimeUnavailable({ reason: "directory", detail: String(cause) })

const unavailableShim = (obstacles: ReadonlyArray<string>) =>
  new ProcessRuntimeUnavailable({ reason: "shim", detail: obstacles.join("; ") })

interface Machine extends StartingMachine {
  readonly isolation: string
}

const runtimeOf = (machine: Machine): ScriptRuntime => {
  const { bootId, interpreters, isolation, launcher, node, directories } = machine
  const directoryOf = (jobId: JobId) => join(directories.jobs, jobId)
  const stateOfJob = (jobId: JobId) => stateOf(directoryOf(jobId), bootId)

  const observe = (handle: JobHandle, from: { readonly stdout: number; readonly stderr: number }) =>
    Stream.mapError(
      observation({
        directory: directoryOf(handle.jobId),
        bootId,
        from,
        absent: absentReport(handle, node),
        relaunch: launcher.keep(directoryOf(handle.jobId))
      }),
      (failure) => failed("observe", failure)
    )

  const stop = Effect.fn("ProcessRuntime.stop")(
    function* ({ jobId }: JobHandle) {
      const file = join(directoryOf(jobId), "cancel")
      yield* ifPresent(attempt(() => writeFile(file, "", { mode: 0o600 })))
    },
    Effect.catchTag("FileFailure", failingIn("stop"))
  )

  const inspect = Effect.fnUntraced(function* (jobId: JobId) {
    return Option.map(
      summaryState(yield* stateOfJob(jobId)),
      (state): JobSummary => ({ handle: handleOf(jobId, node), state })
    )
  })

  const list = Effect.gen(function* () {
    const names = yield* attempt(() => readdir(directories.jobs))
    const found = yield* Effect.forEach(names.filter(isJobId), inspect, { concurrency: 16 })
    return found.flatMap(Option.toArray)
  })

  return {
    kind: "process",
    node,
    languages: languagesOf(interpreters),
    isolation,
    obstacle: diskObstacle(directories.root, machine.confinement.diskReserveBytes),
    start: startIn(machine),
    observe,
    stop,
    remove: removeIn(machine),
    list: list.pipe(Effect.catchTag("FileFailure", failingIn("list")), Effect.withSpan("ProcessRuntime.list")),
    inspect: (jobId) => inspect(jobId).pipe(Effect.catchTag("FileFailure", failingIn("list")))
  }
}

const removeIn = ({ bootId, launcher, directories }: Machine) =>
  Effect.fn("ProcessRuntime.remove")(
    function* ({ jobId }: JobHandle) {
      const { _tag } = yield* stateOf(join(directories.jobs, jobId), bootId)
      if (_tag === "Absent") return
      if (_tag === "Running" || (_tag === "Prepared" && !(yield* claimForRemoval(join(directories.jobs, jobId)))))
        return yield* new RuntimeError({
          runtime: "process",
          phase: "remove",
          retryable: true,
          cause: new Error(`job ${jobId} is running`)
        })
      yield* bury(directories, launcher, jobId)
    },
    Effect.catchTag("FileFailure", failingIn("remove"))
  )

const isJobId = Schema.is(JobId)
