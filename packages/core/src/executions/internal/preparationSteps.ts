/** The steps of an execution until its script may start. */
import { DateTime, Effect, Option, Schema } from "effect"
import { NodeId } from "../../runtime/NodeId.ts"
import type { ScriptRuntimes } from "../../runtime/ScriptRuntimes.ts"
import { once, type SagaStep, StepError } from "../../sagas/SagaDefinition.ts"
import { type Execution, schedule } from "../Execution.ts"
import { moved } from "./executionMoves.ts"

const decodeNodeId = Schema.decodeUnknownOption(NodeId)

export const preparationSteps = (runtimes: ScriptRuntimes["Service"]): ReadonlyArray<SagaStep<Execution>> => {
  const validate: SagaStep<Execution> = {
    name: "validate_execution",
    external: false,
    instant: true,
    reusable: true,
    retry: once,
    run: Effect.fnUntraced(function* ({ subject: { lang, resolvedVersion, runtime } }) {
      yield* Effect.catchTag(runtimes.choose(lang, resolvedVersion, runtime), "LanguageUnsupported", ({ _tag }) =>
        Effect.fail(
          new StepError({
            failureType: _tag,
            detail: `the ${runtime} runtime of this instance no longer offers ${lang} ${resolvedVersion}`,
            retryable: false
          })
        )
      )
      return {}
    })
  }

  const allocate: SagaStep<Execution> = {
    name: "allocate_resources",
    external: false,
    instant: true,
    reusable: true,
    retry: once,
    publicOutput: (output) => output,
    run: ({ subject: { limits } }) =>
      Effect.succeed({ output: { cpu_millicores: limits.cpuMillicores, memory_bytes: limits.memoryBytes } })
  }

  /** The queue has assigned a slot to the execution before its saga was dispatched; this writes down where. */
  const queue: SagaStep<Execution> = {
    name: "queue_execution",
    external: false,
    instant: true,
    retry: { maxAttempts: 5, baseDelayMillis: 500, maxDelayMillis: 5_000 },
    run: Effect.fnUntraced(function* ({ saga, subject: execution }) {
      const nodeId = Option.getOrUndefined(decodeNodeId(saga.nodeId))
      if (nodeId === undefined)
        return yield* new StepError({
          failureType: "NotAssigned",
          detail: "the execution has no slot",
          retryable: true
        })
      return { subject: yield* moved(schedule(execution, yield* DateTime.now, nodeId)) }
    }),
    // The row of the slot goes with the end of the execution, and only then the slot is free.
    undo: () => Effect.succeed({})
  }

  return [validate, allocate, queue]
}
