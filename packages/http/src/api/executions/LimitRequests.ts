/** The limits in a request to run a script, in the words and units of the wire. */
import type { ExecutionLimits } from "@fairlead/core/executions/ExecutionLimits"
import { Schema } from "effect"

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A limit that is absent takes the instance's default; one above the instance's maximum is refused. */
export const limitFields = {
  timeoutSeconds: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0.1, maximum: 86_400 })).annotate({
      description: "Wall time of one attempt in seconds, 0.1 to 86,400.",
      examples: [30]
    })
  ),
  memoryMb: Schema.optionalKey(
    whole(4, 65_536).annotate({ description: "Memory of the whole process tree in MiB, 4 to 65,536.", examples: [128] })
  ),
  cpuMillicores: Schema.optionalKey(
    whole(10, 64_000).annotate({ description: "Share of CPU cores in thousandths, 10 to 64,000.", examples: [500] })
  ),
  processes: Schema.optionalKey(
    whole(1, 4_096).annotate({ description: "Processes and threads at one time.", examples: [32] })
  ),
  diskMb: Schema.optionalKey(
    whole(1, 1024 ** 2).annotate({
      description: "Disk that one attempt may take in all, its kept output included, in MiB, 1 to 1,048,576.",
      examples: [512]
    })
  ),
  fileSizeMb: Schema.optionalKey(
    whole(1, 1024 ** 2).annotate({
      description: "Largest file that it may write, in MiB, 1 to 1,048,576.",
      examples: [64]
    })
  ),
  openFiles: Schema.optionalKey(
    whole(16, 65_536).annotate({
      description: "Files, pipes and sockets that one process may have open, 16 to 65,536.",
      examples: [128]
    })
  ),
  outputBytes: Schema.optionalKey(
    whole(1, 64 * 1024 ** 2).annotate({
      description: "Kept bytes of stdout and of stderr, each. More is counted, not kept.",
      examples: [65_536]
    })
  )
}
interface WantedLimits {
  readonly timeoutSeconds?: number
  readonly memoryMb?: number
  readonly cpuMillicores?: number
  readonly processes?: number
  readonly diskMb?: number
  readonly fileSizeMb?: number
  readonly openFiles?: number
  readonly outputBytes?: number
}

/** In the domain's units. */
export const wantedLimits = (wanted: WantedLimits): Partial<ExecutionLimits> => ({
  ...(wanted.timeoutSeconds === undefined ? {} : { timeoutMillis: Math.round(wanted.timeoutSeconds * 1000) }),
  ...(wanted.memoryMb === undefined ? {} : { memoryBytes: wanted.memoryMb * 1024 ** 2 }),
  ...(wanted.cpuMillicores === undefined ? {} : { cpuMillicores: wanted.cpuMillicores }),
  ...(wanted.processes === undefined ? {} : { processes: wanted.processes }),
  ...(wanted.diskMb === undefined ? {} : { diskBytes: wanted.diskMb * 1024 ** 2 }),
  ...(wanted.fileSizeMb === undefined ? {} : { fileSizeBytes: wanted.fileSizeMb * 1024 ** 2 }),
  ...(wanted.openFiles === undefined ? {} : { openFiles: wanted.openFiles }),
  ...(wanted.outputBytes === undefined ? {} : { outputBytes: wanted.outputBytes })
})

/** The field of a request that set a limit, and how many of the domain's units make one of its. */
export const limitUnits: Readonly<Record<string, { readonly field: string; readonly unit: number }>> = {
  timeoutMillis: { field: "timeout_seconds", unit: 1000 },
  memoryBytes: { field: "memory_mb", unit: 1024 ** 2 },
  cpuMillicores: { field: "cpu_millicores", unit: 1 },
  processes: { field: "processes", unit: 1 },
  diskBytes: { field: "disk_mb", unit: 1024 ** 2 },
  fileSizeBytes: { field: "file_size_mb", unit: 1024 ** 2 },
  openFiles: { field: "open_files", unit: 1 },
  outputBytes: { field: "output_bytes", unit: 1 }
} satisfies Record<keyof ExecutionLimits, { readonly field: string; readonly unit: number }>
