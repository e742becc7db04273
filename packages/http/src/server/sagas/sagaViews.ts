/** Sagas of core as their views on the wire. */
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { lastProgressAt, type Saga } from "@fairlead/core/sagas/Saga"
import type { StepRun } from "@fairlead/core/sagas/SagaHistory"
import type { SagaDetail } from "@fairlead/core/sagas/Sagas"
import type { StuckSaga } from "@fairlead/core/sagas/StuckSagas"
import type { SagaHistoryView, SagaView } from "../../api/sagas/SagaViews.ts"

export const sagaView = (saga: Saga): SagaView => ({
  sagaId: saga.sagaId,
  sagaName: saga.sagaName,
  executionId: ExecutionId.make(saga.subject.id),
  state: saga.state,
  currentStep: saga.currentStep ?? null,
  completedSteps: saga.completedSteps,
  compensatedSteps: saga.compensatedSteps,
  errorMessage: saga.errorMessage ?? null,
  createdAt: saga.createdAt,
  updatedAt: saga.updatedAt,
  completedAt: saga.completedAt ?? null,
  retryCount: saga.retryCount,
  nodeId: saga.nodeId ?? null,
  executor: saga.executor ?? null,
  lastProgressAt: lastProgressAt(saga)
})

const runView = ({
  begunAt,
  executor,
  endedAt,
  failure,
  retryAt,
  ...run
}: StepRun): SagaHistoryView["runs"][number] => ({
  ...run,
  begunAt: begunAt ?? null,
  endedAt: endedAt ?? null,
  durationMs:
    begunAt === undefined || endedAt === undefined ? null : endedAt.epochMilliseconds - begunAt.epochMilliseconds,
  failure: failure ?? null,
  retryAt: retryAt ?? null,
  executor: executor ?? null
})

export const sagaHistoryView = ({ history, saga }: SagaDetail): SagaHistoryView => {
  const { compensation, ended, fromStep, restartOf, runs, startedAt } = history
  return {
    sagaId: saga.sagaId,
    sagaName: saga.sagaName,
    definitionVersion: saga.definitionVersion,
    executionId: ExecutionId.make(saga.subject.id),
    state: saga.state,
    startedAt: startedAt ?? null,
    restartOf: restartOf ?? null,
    fromStep: fromStep ?? null,
    runs: runs.map(runView),
    compensation: compensation ?? null,
    ended: ended === undefined ? null : { ...ended, reason: ended.reason ?? null }
  }
}

export const stuckView = ({ claims, reason, retryAt, saga }: StuckSaga) => ({
  ...sagaView(saga),
  definitionVersion: saga.definitionVersion,
  reason,
  retryAt: retryAt ?? null,
  claimsWithoutProgress: claims
})
