/**
 * Runtimes that tell each script which execution and attempt it is, in `PROOF_EXECUTION` and `PROOF_ATTEMPT`, so that it can write
 * that down; and that refuse, for good, a script with `PROOF_REFUSED` in its environment.
 */
import { attemptOf } from "@fairlead/core/runtime/JobId"
import { RuntimeError } from "@fairlead/core/runtime/RuntimeError"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Effect, Layer, Redacted } from "effect"
import { wrapped } from "./Failpoints.ts"

/** Needs the real ones. */
export const layer = Layer.effect(
  ScriptRuntimes,
  Effect.map(ScriptRuntimes, (real) =>
    wrapped(real, (runtime) => ({
      ...runtime,
      start: (spec) => {
        const env = Redacted.value(spec.env)
        if ("PROOF_REFUSED" in env)
          return new RuntimeError({ runtime: runtime.kind, phase: "start", retryable: false, cause: "refused" })
        const job = attemptOf(spec.jobId)
        const own = { PROOF_EXECUTION: `${job?.executionId}`, PROOF_ATTEMPT: `${job?.attempt}` }
        return runtime.start({ ...spec, env: Redacted.make({ ...env, ...own }) })
      }
    }))
  )
)
