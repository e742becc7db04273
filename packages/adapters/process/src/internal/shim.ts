/** Finds out whether shims work here at a level of isolation. */
import { randomUUID } from "node:crypto"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { JobLimits, JobSpec } from "@fairlead/core/runtime/Job"
import { JobId } from "@fairlead/core/runtime/JobId"
import { Effect, Redacted, Schedule } from "effect"
import { attempt, readText } from "./files.ts"
import { endOf, type JobDirectories, prepare } from "./jobDirectory.ts"
import type { Interpreter } from "./languages.ts"
import { makeLauncher } from "./launcher.ts"
import type { Confinement } from "./shimSpec.ts"

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
  diskBytes: 16 * 1024 ** 2,
  fileSizeBytes: 1024 ** 2,
  openFiles: 64,
  outputBytes: 1024
}

/** Runs a small job to its end. Undefined when that works, else what is in the way. */
export const obstacleTo = Effect.fnUntraced(function* (directories: JobDirectories, confinement: Confinement) {
  const jobId = JobId.make(`probe-${randomUUID()}`)
  const directory = join(directories.building, jobId)
  const spec: JobSpec = {
    jobId,
    script: probeScript,
    language: probeInterpreter.language,
    languageVersion: probeInterpreter.version,
    args: [],
    env: Redacted.make({}),
    limits: probeLimits
  }
  const endOrComplaint = Effect.gen(function* () {
    const end = yield* endOf(directory)
    const complaint = end === undefined ? yield* readText(join(directory, "shim.log")) : undefined
    return { end, complaint: complaint?.trim() ?? "" }
  })
  const job = Effect.gen(function* () {
    const launcher = yield* makeLauncher(confinement)
    yield* prepare(directories, directory, confinement, spec, probeInterpreter)
    yield* launcher.keep(directory)
    const { complaint, end } = yield* endOrComplaint.pipe(
      Effect.repeat({
        until: (seen) => seen.end !== undefined || seen.complaint !== "",
        schedule: Schedule.spaced("5 millis")
      }),
      Effect.timeoutOrElse({ duration: probeTimeoutMillis, orElse: () => endOrComplaint })
    )
    if (end?._tag === "Ended" && end.record.end === "exited" && end.record.code === 0) return undefined
    const complaints = complaint + ((yield* readText(join(directory, "stderr"))) ?? "")
    return complaints.trim().slice(0, 300) || `a job for trial failed: ${JSON.stringify(end ?? "no end")}`
  })
  return yield* Effect.ensuring(
    Effect.scoped(job),
    Effect.ignore(attempt(() => rm(directory, { recursive: true, force: true })))
  )
})
