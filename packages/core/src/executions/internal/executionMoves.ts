/** Moves of an execution, as its saga makes them. */
import { Effect, type Result } from "effect"
import { StepError } from "../../sagas/SagaDefinition.ts"
import type { Execution } from "../Execution.ts"
import type { ExecutionEnded } from "../ExecutionError.ts"

/** The saga is the only one to move its execution, so a move that is refused is a step that cannot succeed. */
export const moved = (move: Result.Result<Execution, ExecutionEnded>): Effect.Effect<Execution, StepError> =>
  Effect.mapError(
    Effect.fromResult(move),
    ({ _tag, executionStatus }) =>
      new StepError({ failureType: _tag, detail: `the execution is ${executionStatus} already`, retryable: false })
  )
