/**
 * What the scripts of a proof need beyond the API, told in their environment: `PROOF_OPTIONS` holds JSON with a retry policy, a
 * time to live or a concurrency key for the admission, and whether the runtime is to refuse the script. Each job learns whose it is.
 */
import { Executions } from "@fairlead/core/executions/Executions"
import { RetryPolicy } from "@fairlead/core/executions/RetryPolicy"
import { attemptOf } from "@fairlead/core/runtime/JobId"
import { RuntimeError } from "@fairlead/core/runtime/RuntimeError"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Effect, Layer, Redacted, Schema } from "effect"
import { wrapped } from "./Failpoints.ts"

const Options = Schema.Struct({
  retryPolicy: Schema.optionalKey(RetryPolicy),
  ttlMillis: Schema.optionalKey(Schema.Int),
  concurrencyKey: Schema.optionalKey(Schema.String),
  isRefused: Schema.optionalKey(Schema.Boolean)
})
export type ScriptOptions = typeof Options.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Options))
const optionsIn = (env: Redacted.Redacted<Readonly<Record<string, string>>> | undefined): ScriptOptions =>
  decode((env === undefined ? undefined : Redacted.value(env)["PROOF_OPTIONS"]) ?? "{}")

/** Over `Executions`. */
export const layerAdmission = Layer.effect(
  Executions,
  Effect.map(Executions, (real) => ({
    ...real,
    submit: (caller, request, origin) => {
      const { isRefused: _, ...options } = optionsIn(request.env)
      return real.submit(caller, { ...request, ...options }, origin)
    }
  }))
)

/** Over `ScriptRuntimes`. */
export const layerRuntimes = Layer.effect(
  ScriptRuntimes,
  Effect.map(ScriptRuntimes, (real) =>
    wrapped(real, (runtime) => ({
      ...runtime,
      start: (spec) => {
        if (optionsIn(spec.env).isRefused === true)
          return new RuntimeError({ runtime: runtime.kind, phase: "start", retryable: false, cause: "refused" })
        const job = attemptOf(spec.jobId)
        const own = { PROOF_EXECUTION: `${job?.executionId}`, PROOF_ATTEMPT: `${job?.attempt}` }
        return runtime.start({ ...spec, env: Redacted.make({ ...Redacted.value(spec.env), ...own }) })
      }
    }))
  )
)
