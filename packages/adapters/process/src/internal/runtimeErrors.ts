/** What is told to whoever calls the runtime, in place of failures of files. */
import { RuntimeError } from "@fairlead/core/runtime/RuntimeError"
import { Effect } from "effect"
import type { FileFailure } from "./files.ts"

/** Below the time after which another driver may take over. */
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
