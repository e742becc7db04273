/** What the shim writes to `exit`, and what it means. Pure. */
import { constants } from "node:os"
import type { JobEnd, JobReport, OutputTotals } from "@fairlead/core/runtime/Job"
import { ResourceUsage } from "@fairlead/core/runtime/ResourceUsage"
import { Schema } from "effect"

const totals = {
  stdoutWritten: Schema.Int,
  stdoutKept: Schema.Int,
  stderrWritten: Schema.Int,
  stderrKept: Schema.Int,
  /** Absent where all was kept. */
  stdoutTail: Schema.optionalKey(Schema.Int),
  stderrTail: Schema.optionalKey(Schema.Int)
}

/** Limits at which the job was seen, of those that the kernel refuses to exceed; separated by spaces. */
const evidence = { reached: Schema.optionalKey(Schema.String) }

const usage = {
  wallMicros: Schema.Int,
  cpuTicks: Schema.Int,
  tickHertz: Schema.Int,
  peakKb: Schema.Int
}

const ExitRecord = Schema.Union([
  Schema.Struct({ end: Schema.Literal("exited"), code: Schema.Int, ...evidence, ...usage, ...totals }),
  Schema.Struct({ end: Schema.Literal("signalled"), signal: Schema.Int, ...evidence, ...usage, ...totals }),
  Schema.Struct({ end: Schema.Literal("timeout"), ...usage, ...totals }),
  Schema.Struct({
    end: Schema.Literal("limit"),
    limit: Schema.Literals(["memory", "cpu", "processes", "disk", "disk_reserve", "storage"]),
    ...usage,
    ...totals
  }),
  /** Without usage when it was stopped before its script began. */
  Schema.Struct({
    end: Schema.Literal("stopped"),
    forced: Schema.Int,
    ...totals,
    wallMicros: Schema.optionalKey(Schema.Int),
    cpuTicks: Schema.optionalKey(Schema.Int),
    tickHertz: Schema.optionalKey(Schema.Int),
    peakKb: Schema.optionalKey(Schema.Int)
  }),
  /** The script never began. */
  Schema.Struct({ end: Schema.Literal("failed"), detail: Schema.String, ...totals })
])
export type ExitRecord = typeof ExitRecord.Type

export const decodeExitRecord = Schema.decodeUnknownOption(Schema.fromJsonString(ExitRecord))

/** `lastWords` is the end of stderr, by which a script that failed at a limit of the kernel is told from one that just failed. */
export const reportOf = (record: ExitRecord, lastWords: string): JobReport => {
  const used = usageOf(record)
  return {
    end: endOf(record, lastWords),
    ...(used === undefined ? {} : { usage: used }),
    stdout: totalsOf(record.stdoutWritten, record.stdoutKept, record.stdoutTail),
    stderr: totalsOf(record.stderrWritten, record.stderrKept, record.stderrTail)
  }
}

const totalsOf = (writtenBytes: number, keptBytes: number, tailBytes: number | undefined): OutputTotals =>
  tailBytes === undefined ? { writtenBytes, keptBytes } : { writtenBytes, keptBytes, tailBytes }

const endOf = (record: ExitRecord, lastWords: string): JobEnd => {
  switch (record.end) {
    case "exited":
      return endOfExit(record.code, { lastWords, reached: record.reached })
    case "signalled":
      return endOfSignal(record.signal, { lastWords, reached: record.reached })
    case "timeout":
      return { _tag: "TimedOut" }
    case "limit":
      return { _tag: "LimitExceeded", limit: record.limit, exitCode: null, suspected: false }
    case "stopped":
      return { _tag: "Stopped", forced: record.forced === 1 }
    case "failed":
      return { _tag: "Lost", detail: record.detail }
  }
}

type Limit = Extract<JobEnd, { readonly _tag: "LimitExceeded" }>["limit"]

/** What interpreters say when the kernel refuses them more. A script may say it too, so it is only suspected. */
const complaints: ReadonlyArray<readonly [RegExp, Limit]> = [
  [/MemoryError|bad_alloc|heap out of memory|OutOfMemoryError|[Cc]annot allocate memory|[Oo]ut of memory/, "memory"],
  [/File too large|File size limit exceeded|EFBIG/, "file_size"],
  [/Too many open files|EMFILE/, "open_files"],
  [/Resource temporarily unavailable|can't start new thread|EAGAIN/, "processes"],
  [/No space left on device|ENOSPC|Disk quota exceeded/, "storage"]
]

interface Evidence {
  readonly lastWords: string
  readonly reached: string | undefined
}

/** What a script complained of; no more than suspected unless it was seen at that limit as well. */
const complaint = ({ lastWords, reached }: Evidence, exitCode: number | null): JobEnd | undefined => {
  const limit = complaints.find(([words]) => words.test(lastWords))?.[1]
  const suspected = limit === undefined || !reached?.split(" ").includes(limit)
  return limit === undefined ? undefined : { _tag: "LimitExceeded", limit, exitCode, suspected }
}

const endOfExit = (exitCode: number, evidence: Evidence): JobEnd =>
  (exitCode === 0 ? undefined : complaint(evidence, exitCode)) ?? { _tag: "Exited", exitCode }

/** Some numbers have two names: the first one counts. */
const signals = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name])
)

const endOfSignal = (number: number, evidence: Evidence): JobEnd => {
  const signal = signals.get(number) ?? `SIG${number}`
  if (signal === "SIGXCPU") return { _tag: "LimitExceeded", limit: "cpu", exitCode: null, suspected: false }
  if (signal === "SIGXFSZ") return { _tag: "LimitExceeded", limit: "file_size", exitCode: null, suspected: false }
  const complained = signal === "SIGABRT" || signal === "SIGTRAP" ? complaint(evidence, null) : undefined
  return complained ?? { _tag: "Signalled", signal }
}

const usageOf = (record: ExitRecord): ResourceUsage | undefined => {
  if (record.end === "failed") return undefined
  const { cpuTicks, peakKb, tickHertz, wallMicros } = record
  if (wallMicros === undefined || cpuTicks === undefined || tickHertz === undefined || peakKb === undefined)
    return undefined
  return new ResourceUsage({
    executionTimeWallSeconds: wallMicros / 1e6,
    cpuTimeJiffies: cpuTicks,
    clkTckHertz: tickHertz,
    peakMemoryKb: peakKb
  })
}
