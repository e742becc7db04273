/** A saga's row as its log says that it must be. Pure. */
import type { DateTime } from "effect"
import { changed, without } from "../../storage/changed.ts"
import { isEnded, type Saga } from "../Saga.ts"
import type { SagaProgress } from "../SagaProgress.ts"

/** `at`: when the last entry was made, under the fence that the row bears. */
export const project = (saga: Saga, progress: SagaProgress, at: DateTime.Utc): Saga => {
  const currentStep = progress.openUndo?.step ?? progress.open?.step ?? progress.completed.at(-1)?.step
  const failure = progress.openUndo?.failure ?? progress.open?.failure
  const errorMessage = progress.compensation?.reason ?? failure?.message
  return changed(without(saga, ["completedAt", "currentStep", "errorMessage"]), {
    state: progress.state,
    completedSteps: progress.completed.map(({ step }) => step),
    compensatedSteps: progress.undone,
    retryCount: progress.failures,
    logLength: progress.length,
    lastEntry: { at, fence: saga.fence },
    updatedAt: at,
    ...(currentStep === undefined ? {} : { currentStep }),
    ...(errorMessage === undefined ? {} : { errorMessage }),
    ...(isEnded(progress.state) ? { completedAt: at } : {})
  })
}
