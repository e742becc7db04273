/** Bounds of one execution. Each has a finite maximum, so no execution runs for ever or fills a disk. */
import { Effect, Schema } from "effect"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Stored executions of before the limit was there had these. */
const formerly = { fileSizeBytes: 256 * 1024 ** 2, openFiles: 256, diskBytes: 1024 ** 4 }

export const ExecutionLimits = Schema.Struct({
  /** Wall time of one attempt: 100 ms to 1 day. */
  timeoutMillis: between(100, 86_400_000),
  /** Resident memory of the process tree: 4 MiB to 64 GiB. */
  memoryBytes: between(4 * 1024 ** 2, 64 * 1024 ** 3),
  /** Share of CPU cores in thousandths; runtimes without such a share turn it into CPU time over the timeout. */
  cpuMillicores: between(10, 64_000),
  processes: between(1, 4_096),
  /** Disk that one attempt may take in all, with what it keeps of its output: 1 MiB to 1 TiB. */
  diskBytes: between(1024 ** 2, 1024 ** 4).pipe(Schema.withDecodingDefaultKey(Effect.succeed(formerly.diskBytes))),
  /** Largest file that it may write: 1 MiB to 1 TiB. */
  fileSizeBytes: between(1024 ** 2, 1024 ** 4).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(formerly.fileSizeBytes))
  ),
  /** Of one process, its standard streams among them. */
  openFiles: between(16, 65_536).pipe(Schema.withDecodingDefaultKey(Effect.succeed(formerly.openFiles))),
  /** Kept bytes of stdout and of stderr, each: up to 64 MiB. */
  outputBytes: between(1, 64 * 1024 ** 2)
})
export type ExecutionLimits = typeof ExecutionLimits.Type

/** What an instance grants: the default for requests that name no limit, and the most a request may ask for. */
export interface ExecutionLimitPolicy {
  readonly defaults: ExecutionLimits
  readonly maxima: ExecutionLimits
}

export const defaultLimitPolicy: ExecutionLimitPolicy = {
  defaults: {
    timeoutMillis: 300_000,
    memoryBytes: 256 * 1024 ** 2,
    cpuMillicores: 1_000,
    processes: 64,
    diskBytes: 1024 ** 3,
    fileSizeBytes: 256 * 1024 ** 2,
    openFiles: 256,
    outputBytes: 1024 ** 2
  },
  maxima: {
    timeoutMillis: 3_600_000,
    memoryBytes: 4 * 1024 ** 3,
    cpuMillicores: 8_000,
    processes: 512,
    diskBytes: 10 * 1024 ** 3,
    fileSizeBytes: 4 * 1024 ** 3,
    openFiles: 4_096,
    outputBytes: 10 * 1024 ** 2
  }
}

/** Names of the limits in `wanted` that exceed `maxima`; empty when all fit. */
export const exceeded = (wanted: ExecutionLimits, maxima: ExecutionLimits): ReadonlyArray<keyof ExecutionLimits> =>
  names.filter((name) => wanted[name] > maxima[name])

const names: ReadonlyArray<keyof ExecutionLimits> = [
  "timeoutMillis",
  "memoryBytes",
  "cpuMillicores",
  "processes",
  "diskBytes",
  "fileSizeBytes",
  "openFiles",
  "outputBytes"
]
