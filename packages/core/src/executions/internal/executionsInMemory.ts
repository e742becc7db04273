/** Executions as the subjects of sagas, for the stores in memory. */
import { Effect } from "effect"
import { executionIdOf } from "../../ids/Subject.ts"
import { queueRows } from "../../queue/QueueStore.ts"
import type { Saga } from "../../sagas/Saga.ts"
import type { MemoryDatabase } from "../../storage/MemoryDatabase.ts"
import { Execution } from "../Execution.ts"
import { calledAsStored } from "../ExecutionLabels.ts"
import { isTerminal } from "../ExecutionStatus.ts"
import { executionRows } from "../ExecutionStore.ts"

/** Writes an execution as its saga has moved it. */
export const save = Effect.fnUntraced(function* (database: MemoryDatabase["Service"], subject: unknown) {
  if (!(subject instanceof Execution)) return yield* Effect.die("the journal writes executions only")
  const { executionId, status } = subject
  yield* executionRows(database).modify((rows) => [
    undefined,
    new Map(rows).set(executionId, calledAsStored(subject, rows.get(executionId)))
  ])
  if (!isTerminal(status)) return
  yield* queueRows(database).modify((rows) => {
    const left = new Map(rows)
    left.delete(executionId)
    return [undefined, left]
  })
})

/** Whether the execution of a saga waits in the line for exactly this saga to go on. */
export const waits = (database: MemoryDatabase["Service"], { sagaId, subject }: Saga) =>
  Effect.map(queueRows(database).get, (rows) => {
    const executionId = executionIdOf(subject)
    const entry = executionId === undefined ? undefined : rows.get(executionId)
    return entry?.sagaId === sagaId && entry.state !== "assigned"
  })
