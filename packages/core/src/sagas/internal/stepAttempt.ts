/** One attempt of a step: bounded in time, and with an answer whatever happens. */
import { DateTime, Effect, Result } from "effect"
import {
  failureOf,
  retryDelayMillis,
  type SagaStep,
  type StepEffect,
  StepError,
  type StepRetry
} from "../SagaDefinition.ts"

/** A defect in a step is a bug of ours, but the saga must still reach an end: it counts as a final failure, and is logged. */
export const bounded = (step: SagaStep, attempted: StepEffect) =>
  attempted.pipe(
    step.timeoutMillis === undefined
      ? (effect) => effect
      : Effect.timeoutOrElse({ duration: step.timeoutMillis, orElse: () => timedOut(step) }),
    Effect.catchDefect((defect) =>
      Effect.andThen(
        Effect.logError(`Defect in saga step ${step.name}`, defect),
        new StepError({ failureType: "Defect", detail: `step ${step.name} failed unexpectedly`, retryable: false })
      )
    ),
    Effect.map((outcome) => Result.succeed(outcome)),
    Effect.catchTag("StepError", (error) => Effect.succeed(Result.fail(error)))
  )

const timedOut = (step: SagaStep): StepEffect =>
  Effect.fail(
    new StepError({
      failureType: "StepTimeout",
      detail: `step ${step.name} did not finish within ${step.timeoutMillis} ms`,
      retryable: true
    })
  )

export const failed = (error: StepError, retry: StepRetry, attempt: number) =>
  Effect.map(DateTime.now, (now) =>
    error.retryable && attempt < retry.maxAttempts
      ? { failure: failureOf(error), retryAt: DateTime.addDuration(now, retryDelayMillis(retry, attempt)) }
      : { failure: failureOf(error) }
  )
