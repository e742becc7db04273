/** What is told to whoever calls the runtime, in place of failures of files. */
import type { JobHandle, JobReport } from "@fairlead/core/runtime/Job"
import { RuntimeError } from "@fairlead/core/runtime/RuntimeError"
import { Effect } from "effect"
import { FileFailure } from "./files.ts"

/** Below the time after which another executor may take over. */
export const staleMillis = 5_000
export const heldUp = () =>
  new RuntimeError({
    runtime: "process",
    phase: "start",
    retryable: true,
    cause: new Error(`the start was held up for more than ${staleMillis} ms, so it was not done`)
  })

type Phase = RuntimeError["phase"]

export const failed = (phase: Phase, { cause }: FileFailure) =>
  new RuntimeError({ runtime: "process", phase, retryable: true, cause })

export const refused = (phase: Phase, detail: string) =>
  new RuntimeError({ runtime: "process", phase, retryable: false, cause: new Error(detail) })

/** For `Effect.catchTag("FileFailure", …)`. */
export const failingIn = (phase: Phase) => (failure: FileFailure) => Effect.fail(failed(phase, failure))

/** A job that belongs here and is not here is lost; one of another directory may be well. */
export const absentReport = (handle: JobHandle, node: string): Effect.Effect<JobReport, FileFailure> =>
  handle.node === node
    ? Effect.succeed({
        end: { _tag: "Lost", detail: "its directory is gone" },
        stdout: { writtenBytes: 0, keptBytes: 0 },
        stderr: { writtenBytes: 0, keptBytes: 0 }
      })
    : Effect.fail(new FileFailure({ code: "", cause: new Error(`the job is held by ${handle.node}, not by ${node}`) }))
