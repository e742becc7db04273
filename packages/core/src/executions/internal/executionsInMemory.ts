/** Executions as the subjects of sagas, for the stores in memory. */
import { Effect, Layer } from "effect"
import { executionIdOf } from "../../ids/Subject.ts"
import { queueRows } from "../../queue/memoryTables.ts"
import { MemorySubjects } from "../../sagas/MemorySubjects.ts"
import { MemoryDatabase } from "../../storage/MemoryDatabase.ts"
import { Execution } from "../Execution.ts"
import { calledAsStored } from "../ExecutionLabels.ts"
import { isTerminal } from "../ExecutionStatus.ts"
import { executionRows } from "../memoryTables.ts"

export const layer = Layer.effect(
  MemorySubjects,
  Effect.map(MemoryDatabase, (database) => {
    const [executions, queue] = [executionRows(database), queueRows(database)]
    return MemorySubjects.of({
      save: Effect.fnUntraced(function* (subject) {
        if (!(subject instanceof Execution)) return yield* Effect.die("the journal writes executions only")
        const { executionId, status } = subject
        yield* executions.modify((rows) => [
          undefined,
          new Map(rows).set(executionId, calledAsStored(subject, rows.get(executionId)))
        ])
        if (!isTerminal(status)) return
        yield* queue.modify((rows) => {
          const left = new Map(rows)
          left.delete(executionId)
          return [undefined, left]
        })
      }),
      waits: ({ sagaId, subject }) =>
        Effect.map(queue.get, (rows) => {
          const executionId = executionIdOf(subject)
          const entry = executionId === undefined ? undefined : rows.get(executionId)
          return entry?.sagaId === sagaId && entry.state !== "assigned"
        })
    })
  })
)
