/**
 * Going on from where another saga came: a new saga whose log begins with what the steps before left. The old one stays as it
 * ended. Pure.
 */
import { Result } from "effect"
import { isEnded, type Saga } from "./Saga.ts"
import type { SagaDefinition, SagaStep } from "./SagaDefinition.ts"
import type { SagaEntry } from "./SagaEntry.ts"
import { SagaNotRestartable } from "./SagaError.ts"
import type { SagaProgress } from "./SagaProgress.ts"

export interface SagaRestart {
  readonly definition: Pick<SagaDefinition, "name" | "version">
  readonly restartOf: Saga["sagaId"]
  readonly fromStep: string
  /** How the log of the new saga begins. */
  readonly entries: ReadonlyArray<SagaEntry>
}

type Reusable = Pick<SagaStep, "name" | "reusable">

/** Steps from which the saga can be restarted, in order: all that come before one of them are done, still stand, and carry. */
export const restartPoints = (
  steps: ReadonlyArray<Reusable>,
  { completed, undone }: Pick<SagaProgress, "completed" | "undone">
): ReadonlyArray<string> => {
  const taken = steps.findIndex(
    ({ name, reusable }) => reusable !== true || undone.includes(name) || !completed.some(({ step }) => step === name)
  )
  return steps.slice(0, taken === -1 ? steps.length : taken + 1).map(({ name }) => name)
}

/**
 * From `wanted`; if that is absent, from the step that failed or was never reached, or from the last one before it from which
 * that is possible.
 */
export const restart = (
  saga: Saga,
  definition: SagaDefinition | undefined,
  progress: SagaProgress,
  wanted: string | undefined
): Result.Result<SagaRestart, SagaNotRestartable> => {
  const steps = definition?.steps ?? []
  const { sagaId } = saga
  const points = isEnded(saga.state) ? restartPoints(steps, progress) : []
  const refused = (reason: SagaNotRestartable["reason"]) =>
    Result.fail(
      new SagaNotRestartable({
        sagaId,
        reason,
        possibleFrom: points,
        ...(wanted === undefined ? {} : { fromStep: wanted })
      })
    )
  if (!isEnded(saga.state)) return refused("active")
  if (wanted === undefined && saga.state === "completed") return refused("completed")
  const fromStep = wanted ?? points[Math.min(failedAt(steps, progress), points.length - 1)]
  if (definition === undefined || fromStep === undefined || !points.includes(fromStep)) return refused("not_reusable")
  const { name, version } = definition
  const reused = points.slice(0, points.indexOf(fromStep)).flatMap((step): ReadonlyArray<SagaEntry> => {
    const done = progress.completed.find((each) => each.step === step)
    return done === undefined ? [] : [{ _tag: "StepCompleted", ...done }]
  })
  const started: SagaEntry = { _tag: "SagaStarted", name, definitionVersion: version, restartOf: sagaId, fromStep }
  return Result.succeed({ definition: { name, version }, restartOf: sagaId, fromStep, entries: [started, ...reused] })
}

const failedAt = (steps: ReadonlyArray<Reusable>, { completed }: SagaProgress): number => {
  const open = steps.findIndex(({ name }) => !completed.some(({ step }) => step === name))
  return open === -1 ? steps.length - 1 : open
}
