/**
 * Restarts the saga of an ended execution. An execution that has ended never moves again, so a restart makes a new one, which
 * goes through admission and the queue like any other.
 */
import { Context, Effect, Layer } from "effect"
import type { Principal } from "../auth/Principal.ts"
import type { RequestSource } from "../auth/RequestSource.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { SagaId } from "../ids/SagaId.ts"
import { executionIdOf } from "../ids/Subject.ts"
import type { SagaNotRestartable } from "../sagas/SagaError.ts"
import { SagaNotFound } from "../sagas/SagaError.ts"
import { Sagas } from "../sagas/Sagas.ts"
import type { Execution } from "./Execution.ts"
import type { AdmissionError } from "./ExecutionAdmission.ts"
import type { ExecutionActive, ExecutionNotFound } from "./ExecutionError.ts"
import { Executions } from "./Executions.ts"

export interface Restarted {
  /** The new one. */
  readonly execution: Execution
  /** The execution of the old saga. */
  readonly retryOf: ExecutionId
  readonly fromStep: string
}

export class ExecutionRestarts extends Context.Service<
  ExecutionRestarts,
  {
    /** `fromStep` absent: from where the saga failed, or from the last step before it from which that is possible. */
    restart(
      caller: Principal,
      sagaId: SagaId,
      fromStep: string | undefined,
      source: RequestSource
    ): Effect.Effect<
      Restarted,
      SagaNotFound | SagaNotRestartable | ExecutionNotFound | ExecutionActive | AdmissionError
    >
  }
>()("@fairlead/core/executions/ExecutionRestarts") {
  static readonly layer = Layer.effect(
    ExecutionRestarts,
    Effect.gen(function* () {
      const [sagas, executions] = [yield* Sagas, yield* Executions]
      return ExecutionRestarts.of({
        restart: Effect.fn("ExecutionRestarts.restart")(function* (caller, sagaId, wanted, source) {
          const { plan, saga } = yield* sagas.planRestart(caller, sagaId, wanted)
          const retryOf = executionIdOf(saga.subject)
          if (retryOf === undefined) return yield* new SagaNotFound({ sagaId })
          const execution = yield* executions.retry(caller, retryOf, source, plan)
          return { execution, retryOf, fromStep: plan.fromStep }
        })
      })
    })
  )
}
