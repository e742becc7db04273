/**
 * Go's standard library, compiled once for each version of Go on this machine and not anew by every job.
 *
 * A job of the host's own compiles it, with nothing but the tool chain and under limits, and the host takes what that leaves: from then on it is
 * the host's, and jobs can read it only. Everything else that Go keeps for another time is in the home of each job and goes with it, so
 * no job reads what another one has compiled.
 */
import { randomUUID } from "node:crypto"
import { chmod, chown, readdir, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { getegid, geteuid } from "node:process"
import type { JobLimits, JobSpec } from "@fairlead/core/runtime/Job"
import { JobId } from "@fairlead/core/runtime/JobId"
import { Effect, Exit, Redacted, Schedule, Scope } from "effect"
import { attempt, FileFailure, ifNew, ifPresent, readText, sizeOf } from "./files.ts"
import { endOf, type JobDirectories, prepare } from "./jobDirectory.ts"
import type { Interpreter } from "./languages.ts"
import type { Launcher } from "./launcher.ts"
import { type Confinement, libraryOfNamespace } from "./shimSpec.ts"

export interface GoLibraries {
  /** The interpreter as it is to be started now: with its library if that is there. Otherwise that is made meanwhile, a minute or two long. */
  use(interpreter: Interpreter): Effect.Effect<Interpreter, FileFailure>
}

export interface GoMachine {
  readonly directories: JobDirectories
  readonly confinement: Confinement
  readonly launcher: Launcher
  readonly interpreters: ReadonlyArray<Interpreter>
}

/** The scope ends what is being made. */
export const makeGoLibraries = Effect.fnUntraced(function* (
  machine: GoMachine
): Effect.fn.Return<GoLibraries, FileFailure, Scope.Scope> {
  const { confinement, directories } = machine
  const scope = yield* Scope.Scope
  yield* putAway(machine)
  if (!areSafe(confinement)) return { use: Effect.succeed }
  const begun = new Set<string>()

  const make = Effect.fnUntraced(function* (go: Interpreter, name: string) {
    if (begun.has(name)) return
    begun.add(name)
    const made = Effect.catch(compile(machine, go, name), ({ cause }) =>
      Effect.logWarning(
        `The standard library of Go ${go.version} could not be compiled: each job does so itself`,
        cause
      )
    )
    yield* Effect.forkIn(made, scope)
  })

  return {
    use: Effect.fnUntraced(function* (interpreter) {
      if (!isGo(interpreter)) return interpreter
      const name = nameOf(interpreter)
      if ((yield* sizeOf(join(directories.libraries, name))) !== undefined)
        return withLibrary(machine, interpreter, name)
      yield* make(interpreter, name)
      return interpreter
    })
  }
})

const isGo = ({ language }: Interpreter) => language === "go"
const nameOf = ({ version }: Interpreter) => `go-${version}`

/** Jobs that are the host's user at level `basic` could change it; and to be made it takes a user away from them. */
const areSafe = ({ level, uids }: Confinement) => (uids === undefined ? level === "namespace" : uids.count > 1)

/**
 * Takes away what is of no use, or what jobs of an earlier host may have changed: those that were its user. Jobs that have it at this
 * moment keep it, as the trash is cleared an hour later.
 */
const putAway = Effect.fnUntraced(function* ({ confinement, interpreters, directories }: GoMachine) {
  const useful = confinement.uids === undefined ? [] : interpreters.filter(isGo).map(nameOf)
  const names = yield* attempt(() => readdir(directories.libraries))
  for (const name of names.filter((each) => !useful.includes(each)))
    yield* ifPresent(
      attempt(() => rename(join(directories.libraries, name), join(directories.trash, `library.${randomUUID()}`)))
    )
})

/** Without the setting Go leaves out its standard library where it looks for packages. */
const environment = { GODEBUG: "installgoroot=all" }

const withLibrary = ({ confinement, directories }: GoMachine, go: Interpreter, name: string): Interpreter => {
  const path = confinement.level === "namespace" ? libraryOfNamespace : join(directories.libraries, name)
  return {
    ...go,
    env: (memoryBytes) => ({ ...go.env(memoryBytes), ...environment }),
    command: (memoryBytes) => [...go.command(memoryBytes), "-pkgdir", path],
    library: name
  }
}

/** Succeeds only if a build that begins with nothing else finds the library up to date. */
const script = [
  'go=$1; GOFLAGS=-p=2 "$go" install -pkgdir "$HOME/packages" std || exit',
  'found=$(GOCACHE=$HOME/none "$go" list -pkgdir "$HOME/packages" -f "{{.Stale}} {{.StaleReason}}" fmt)',
  'case $found in false*) ;; *) echo "it is stale: $found" >&2; exit 1 ;; esac',
  ""
].join("\n")

const minuteMillis = 60_000
const limits: JobLimits = {
  timeoutMillis: 15 * minuteMillis,
  memoryBytes: 2 * 1024 ** 3,
  cpuMillis: 30 * minuteMillis,
  processes: 256,
  diskBytes: 2 * 1024 ** 3,
  fileSizeBytes: 512 * 1024 ** 2,
  openFiles: 512,
  outputBytes: 65_536
}

const compile = Effect.fnUntraced(function* (machine: GoMachine, go: Interpreter, name: string) {
  const { confinement, launcher, directories } = machine
  const jobId = JobId.make(`go-library-${randomUUID()}`)
  const directory = join(directories.building, jobId)
  const shell: Interpreter = {
    ...go,
    language: "sh",
    fileExtension: "sh",
    env: (memoryBytes) => ({ ...go.env(memoryBytes), ...environment }),
    command: () => ["/bin/sh"]
  }
  const spec: JobSpec = {
    jobId,
    script,
    language: shell.language,
    languageVersion: shell.version,
    args: go.command(limits.memoryBytes).slice(0, 1),
    env: Redacted.make({}),
    limits
  }
  yield* Effect.addFinalizer((exit) =>
    // A host that stops leaves the rest to the next one.
    Effect.ignore(
      Exit.hasInterrupts(exit)
        ? attempt(() => writeFile(join(directory, "cancel"), "", { mode: 0o600 }))
        : launcher.deleteTree(directory)
    )
  )
  yield* prepare(directories, directory, confinement, spec, shell)
  yield* launcher.keep(directory)
  yield* checkEnd(directory)
  const packages = join(directory, "tmp", "work", "packages")
  yield* adopt(packages)
  // Another host may have been quicker.
  yield* ifNew(attempt(() => rename(packages, join(directories.libraries, name))))
}, Effect.scoped)

/** Waits for the end of the job, which is to be a good one. */
const checkEnd = Effect.fnUntraced(function* (directory: string) {
  const end = yield* endOf(directory).pipe(
    Effect.repeat({ until: (found) => found !== undefined, schedule: Schedule.spaced("200 millis") }),
    Effect.timeoutOrElse({ duration: limits.timeoutMillis + minuteMillis, orElse: () => Effect.undefined })
  )
  if (end?._tag === "Ended" && end.record.end === "exited" && end.record.code === 0) return
  const complaint = (yield* readText(join(directory, "stderr")))?.trim().slice(-300)
  return yield* unfit(complaint || `it ended otherwise: ${JSON.stringify(end ?? "not at all")}`)
})

const unfit = (reason: string) => new FileFailure({ code: "", cause: new Error(reason) })

/** Makes all of it the host's. Nobody else comes here meanwhile: the shim has closed the directory of the job. */
const adopt = Effect.fnUntraced(function* (folder: string) {
  const entries = yield* attempt(() => readdir(folder, { recursive: true, withFileTypes: true }))
  if (entries.some((entry) => !entry.isFile() && !entry.isDirectory()))
    return yield* unfit("there is something else than files in it")
  const [uid, gid] = [geteuid?.() ?? 0, getegid?.() ?? 0]
  const paths = entries.map((entry) => ({ path: join(entry.parentPath, entry.name), isFolder: entry.isDirectory() }))
  yield* Effect.forEach(
    [{ path: folder, isFolder: true }, ...paths],
    ({ isFolder, path }) =>
      Effect.andThen(
        attempt(() => chown(path, uid, gid)),
        attempt(() => chmod(path, isFolder ? 0o755 : 0o644))
      ),
    { concurrency: 8, discard: true }
  )
})
