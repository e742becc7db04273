/** Smallest valid values for tests of sagas. */
import { UserId } from "@fairlead/core/auth/users/UserId"
import { Execution } from "@fairlead/core/executions/Execution"
import { ExecutionId } from "@fairlead/core/executions/ExecutionId"
import { defaultLimitPolicy } from "@fairlead/core/executions/ExecutionLimits"
import { Saga } from "@fairlead/core/sagas/Saga"
import { SagaId } from "@fairlead/core/sagas/SagaId"
import { DateTime } from "effect"

const uuid = (n: number) => `019a0000-0000-7000-8000-${`${n}`.padStart(12, "0")}`
const at = DateTime.makeUnsafe("2026-01-01T00:00:00Z")

export const ownerId = UserId.make(uuid(1))
export const executionIdOf = (n: number) => ExecutionId.make(uuid(100 + n))
export const sagaIdOf = (n: number) => SagaId.make(uuid(200 + n))

export const queuedExecution = (n: number) =>
  new Execution({
    executionId: executionIdOf(n),
    ownerId,
    script: "print(1)",
    lang: "python",
    langVersion: "3",
    resolvedVersion: "3.11.2",
    runtime: "process",
    args: [],
    limits: defaultLimitPolicy.defaults,
    priority: 5,
    status: "queued",
    attempt: 0,
    correlationId: "c",
    createdAt: at,
    updatedAt: at
  })

export const newSaga = (n: number, sagaName: string) =>
  new Saga({
    sagaId: sagaIdOf(n),
    sagaName,
    definitionVersion: 1,
    executionId: executionIdOf(n),
    ownerId,
    correlationId: "c",
    state: "created",
    completedSteps: [],
    compensatedSteps: [],
    retryCount: 0,
    logLength: 0,
    dispatch: 1,
    fence: 0,
    createdAt: at,
    updatedAt: at
  })
