/** Starts keepers, and finds out at which level of isolation they work here. */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { open, rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { JobLimits, JobSpec } from "@fairlead/core/runtime/Job"
import { JobId } from "@fairlead/core/runtime/JobId"
import { Effect, Redacted } from "effect"
import { attempt, FileFailure, readText, systemPath } from "./files.ts"
import { endOf, type Places, prepare } from "./jobDirectory.ts"
import type { Confinement } from "./keeperSpec.ts"
import type { Interpreter } from "./languages.ts"
import { makeLaunch } from "./launcher.ts"

const keeperFile = fileURLToPath(new URL("../../keeper/keeper.pl", import.meta.url))

const unshare = ["--pid", "--mount", "--ipc", "--fork", "--kill-child"]

/** Command line of a keeper, without its last argument: the job directory. */
const keeperCommand = ({ hostIsRoot, level }: Confinement): readonly [string, ...Array<string>] =>
  level === "namespace"
    ? ["unshare", ...unshare, ...(hostIsRoot ? [] : ["--user", "--map-root-user"]), "perl", keeperFile]
    : ["perl", keeperFile]

/**
 * Gives jobs to new keepers, which leave those alone that another has claimed. A keeper has a session of its own and shares
 * nothing with this process that could end with it.
 */
export const makeKeepers = (confinement: Confinement) => makeLaunch(keeperCommand(confinement))

/** Runs a keeper to its end, without the detour over the launcher. */
const runKeeper = (confinement: Confinement, directory: string) =>
  Effect.acquireUseRelease(
    attempt(() => open(join(directory, "keeper.log"), "a", 0o600)),
    (log) =>
      Effect.callback<void, FileFailure>((resume) => {
        const [program, ...args] = keeperCommand(confinement)
        const child = spawn(program, [...args, directory], {
          cwd: "/",
          detached: true,
          env: { PATH: systemPath, LANG: "C" },
          stdio: ["ignore", "ignore", log.fd]
        })
        child.once("exit", () => resume(Effect.void))
        child.once("error", (cause: NodeJS.ErrnoException) =>
          resume(Effect.fail(new FileFailure({ code: cause.code ?? "", cause })))
        )
        return Effect.sync(() => child.kill("SIGKILL"))
      }),
    (log) => Effect.ignore(attempt(() => log.close()))
  )

const probeTimeoutMillis = 5_000

/** A script that succeeds when it may write to its home and finds itself in its own /proc. */
const probeScript = "exit !(-w $ENV{HOME} && chdir($ENV{HOME}) && readlink('/proc/self') == $$);\n"

const probeInterpreter: Interpreter = {
  language: "perl",
  version: "5",
  fileExtension: "pl",
  env: () => ({}),
  reservedBytes: 256 * 1024 ** 2,
  command: () => ["perl"]
}

const probeLimits: JobLimits = {
  timeoutMillis: probeTimeoutMillis,
  memoryBytes: 256 * 1024 ** 2,
  cpuMillis: probeTimeoutMillis,
  processes: 16,
  fileSizeBytes: 1024 ** 2,
  openFiles: 64,
  outputBytes: 1024
}

/** Runs a small job to its end. Undefined when that works, else what is in the way. */
export const obstacleTo = Effect.fnUntraced(function* (places: Places, confinement: Confinement) {
  const jobId = JobId.make(`probe-${randomUUID()}`)
  const directory = join(places.building, jobId)
  const spec: JobSpec = {
    jobId,
    script: probeScript,
    language: probeInterpreter.language,
    languageVersion: probeInterpreter.version,
    args: [],
    env: Redacted.make({}),
    limits: probeLimits
  }
  const job = Effect.gen(function* () {
    yield* prepare(places, directory, confinement, spec, probeInterpreter)
    yield* runKeeper(confinement, directory).pipe(Effect.timeoutOption(probeTimeoutMillis))
    const end = yield* endOf(directory)
    if (end?._tag === "Ended" && end.record.end === "exited" && end.record.code === 0) return undefined
    const complaints = [yield* readText(join(directory, "stderr")), yield* readText(join(directory, "keeper.log"))]
    return complaints.join("").trim().slice(0, 300) || `a job for trial failed: ${JSON.stringify(end ?? "no end")}`
  })
  return yield* Effect.ensuring(job, Effect.ignore(attempt(() => rm(directory, { recursive: true, force: true }))))
})
