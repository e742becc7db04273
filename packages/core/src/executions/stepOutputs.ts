/** What the steps of the execution saga leave for each other in its log, and what people may see of it. */
import { Option, Schema } from "effect"
import { JobHandle, JobReport } from "../runtime/Job.ts"

/** The step that starts the script: from its intent on, the script may have run. */
export const startStep = "start_job"

/** What `start_job` leaves. */
export const Started = Schema.Struct({ handle: JobHandle, attempt: Schema.Int })
export const started = Schema.toCodecJson(Started)
/** What `monitor_execution` leaves. */
export const reported = Schema.toCodecJson(JobReport)

const decodeStarted = Schema.decodeUnknownOption(started)
const decodeReported = Schema.decodeUnknownOption(reported)

export const publicStart = (output: Schema.Json): Schema.Json =>
  Option.match(decodeStarted(output), {
    onNone: () => null,
    onSome: ({ attempt, handle }) => ({ attempt, runtime: handle.runtime, job_id: handle.jobId, node: handle.node })
  })

/** Sizes, never contents. */
export const publicReport = (output: Schema.Json): Schema.Json =>
  Option.match(decodeReported(output), {
    onNone: () => null,
    onSome: ({ end, stderr, stdout }) => ({
      end: end._tag,
      exit_code: end._tag === "Exited" ? end.exitCode : null,
      stdout_bytes: stdout.keptBytes,
      stderr_bytes: stderr.keptBytes
    })
  })
