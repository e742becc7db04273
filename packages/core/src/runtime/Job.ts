/** What a runtime is asked to run, and what it reports back. */
import { Schema } from "effect"
import { JobId } from "./JobId.ts"
import { ResourceUsage } from "./ResourceUsage.ts"

/** Where scripts may run. */
export const RuntimeKind = Schema.Literals(["process", "kubernetes", "docker", "ssh", "agent"])
export type RuntimeKind = typeof RuntimeKind.Type

const Positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/** Hard limits of one job. Each is enforced by the runtime even while no instance is watching. */
export const JobLimits = Schema.Struct({
  /** Wall time from the start of the process; then the job is asked to end, as by `ScriptRuntime.stop`. */
  timeoutMillis: Positive,
  /** Resident memory of the whole process tree. */
  memoryBytes: Positive,
  /** CPU time of the whole process tree. */
  cpuMillis: Positive,
  /** Processes and threads at one time. */
  processes: Positive,
  /** Disk that all files of the job take, kept output included. */
  diskBytes: Positive,
  /** Largest file the job may write. */
  fileSizeBytes: Positive,
  openFiles: Positive,
  /** Kept bytes of each output stream: the first and the last ones, see `tailBytesOf`; those between are counted and dropped. */
  outputBytes: Positive
})
export type JobLimits = typeof JobLimits.Type

export const JobSpec = Schema.Struct({
  jobId: JobId,
  script: Schema.String,
  language: Schema.NonEmptyString,
  /** One of the versions in the runtime's `languages`. */
  languageVersion: Schema.NonEmptyString,
  args: Schema.Array(Schema.String),
  /** Added to the runtime's own minimal environment. Secret: goes neither to an argument list nor to a log. */
  env: Schema.Redacted(Schema.Record(Schema.String, Schema.String)),
  limits: JobLimits,
  /**
   * The job is over when the processes have ended too that its script left in the background, daemons among them; all limits hold until
   * then. It ends as the script itself did. Default false: what is left in the background is ended with the script.
   */
  waitForBackground: Schema.optionalKey(Schema.Boolean)
})
export type JobSpec = typeof JobSpec.Type

/** Enough to find the job again after the instance that started it is gone. Kept in the saga log. */
export const JobHandle = Schema.Struct({
  runtime: RuntimeKind,
  jobId: JobId,
  /** The machine, cluster or server that holds the job. */
  node: Schema.String
})
export type JobHandle = typeof JobHandle.Type

export const OutputName = Schema.Literals(["stdout", "stderr"])
export type OutputName = typeof OutputName.Type

/** What is kept of a job: its output, and in which order it came; see `OutputOrder`. */
export const OutputStream = Schema.Literals([...OutputName.literals, "order"])
export type OutputStream = typeof OutputStream.Type

/** Bytes already known, per stream: where to go on reading. `order` is absent while nothing of it is known. */
export const OutputOffsets = Schema.Struct({
  stdout: Schema.Int,
  stderr: Schema.Int,
  order: Schema.optionalKey(Schema.Int)
})
export type OutputOffsets = typeof OutputOffsets.Type

/** The limits that end a job. */
export const LimitName = Schema.Literals([
  "memory",
  "cpu",
  "processes",
  "file_size",
  "open_files",
  "disk",
  "disk_reserve",
  "storage"
])
export type LimitName = typeof LimitName.Type

/** Why a job ended. `Lost`: the runtime cannot tell any more what became of it; it may have done anything or nothing. */
export const JobEnd = Schema.Union([
  Schema.TaggedStruct("Exited", { exitCode: Schema.Int }),
  Schema.TaggedStruct("Signalled", { signal: Schema.String }),
  Schema.TaggedStruct("TimedOut", {}),
  Schema.TaggedStruct("Stopped", { forced: Schema.Boolean }),
  /**
   * `disk`: of the job itself; `storage`: nothing could be written any more; `disk_reserve`: too little was left on the disk for everybody.
   * `suspected`: concluded from exit code and last words, not reported by the mechanism that limits.
   */
  Schema.TaggedStruct("LimitExceeded", {
    limit: LimitName,
    exitCode: Schema.NullOr(Schema.Int),
    suspected: Schema.Boolean
  }),
  Schema.TaggedStruct("Lost", { detail: Schema.String })
])
export type JobEnd = typeof JobEnd.Type

export const OutputTotals = Schema.Struct({
  /** Bytes the script wrote. */
  writtenBytes: Schema.Int,
  /** Bytes that were kept. */
  keptBytes: Schema.Int,
  /** Of those the last ones that were written, behind a gap; absent when nothing is missing before the last kept byte. */
  tailBytes: Schema.optionalKey(Schema.Int)
})
export type OutputTotals = typeof OutputTotals.Type

/** How many of the kept bytes of a stream are reserved for its end. What comes before is there as it is written, the end when the job has ended. */
export const tailBytesOf = (outputBytes: number): number => Math.min(Math.floor(outputBytes / 2), 65_536)

export const JobReport = Schema.Struct({
  end: JobEnd,
  /** Absent when the job was lost or never became a process. */
  usage: Schema.optionalKey(ResourceUsage),
  stdout: OutputTotals,
  stderr: OutputTotals
})
export type JobReport = typeof JobReport.Type

/** One piece of what `observe` reports. */
export type ScriptOutput =
  | {
      readonly _tag: "Chunk"
      readonly output: OutputStream
      /** Position of the first byte in its stream; 0 for the very first. */
      readonly offset: number
      readonly bytes: Uint8Array
    }
  | { readonly _tag: "Ended"; readonly report: JobReport }
