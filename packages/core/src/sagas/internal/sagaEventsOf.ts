/** The facts about sagas that an entry of the log tells the world. Pure. */
import type { DateTime } from "effect"
import type { DomainEvent } from "../../events/DomainEvent.ts"
import { aboutSaga } from "../../events/SagaEvents.ts"
import type { Saga } from "../Saga.ts"
import type { SagaEntry } from "../SagaEntry.ts"
import type { SagaProgress } from "../SagaProgress.ts"

/** `progress` is the state after the entry. */
export const sagaEventsOf = (
  entry: SagaEntry,
  saga: Saga,
  progress: SagaProgress,
  at: DateTime.Utc
): ReadonlyArray<DomainEvent> => {
  const about = aboutSaga(saga)
  const completedSteps = progress.completed.map(({ step }) => step)
  switch (entry._tag) {
    case "StepUndone":
      return [{ _tag: "SagaCompensating", ...about, compensatingStep: entry.step }]
    case "SagaEnded":
      return entry.end === "completed"
        ? [{ _tag: "SagaCompleted", ...about, completedSteps }]
        : [{ _tag: "SagaCompensated", ...about, compensatedSteps: progress.undone }, ended(entry, saga, progress, at)]
    default:
      return []
  }
}

const ended = (
  { end, reason = "" }: Extract<SagaEntry, { readonly _tag: "SagaEnded" }>,
  saga: Saga,
  progress: SagaProgress,
  at: DateTime.Utc
): DomainEvent => {
  const about = aboutSaga(saga)
  if (end !== "cancelled")
    return {
      _tag: "SagaFailed",
      ...about,
      failedStep: progress.open?.step ?? progress.abandoned[0] ?? "",
      error: reason
    }
  return {
    _tag: "SagaCancelled",
    ...about,
    reason,
    completedSteps: progress.completed.map(({ step }) => step),
    compensatedSteps: progress.undone,
    cancelledAt: at,
    cancelledBy: saga.cancelRequest?.by ?? null
  }
}
