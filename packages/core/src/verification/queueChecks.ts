/** Whether the queue agrees with executions and sagas. Pure. */
import type { Execution } from "../executions/Execution.ts"
import { isTerminal } from "../executions/ExecutionStatus.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { executionIdOf } from "../ids/Subject.ts"
import type { QueueEntry } from "../queue/QueueEntry.ts"
import { isEnded, type Saga } from "../sagas/Saga.ts"
import { unless, type Violation } from "./Violation.ts"

/** The same as the adapters ask in their own way. A saga that was sent to any executor, to be ended, needs no entry any more. */
export const queueViolations = (
  executions: ReadonlyMap<ExecutionId, Execution>,
  sagas: ReadonlyArray<Saga>,
  line: ReadonlyMap<ExecutionId, QueueEntry>
): ReadonlyArray<Violation> => {
  const live = sagas.flatMap((saga) => {
    const executionId = executionIdOf(saga.subject)
    return executionId === undefined || isEnded(saga.state) ? [] : [{ ...saga, executionId }]
  })
  const ending = new Set(
    live.flatMap((saga) => (saga.suspended || saga.nodeId !== undefined ? [] : [saga.executionId]))
  )
  return [
    ...[...executions.values()].flatMap(({ executionId, status }) =>
      unless(
        isTerminal(status) || line.has(executionId) || ending.has(executionId),
        "queue_consistent",
        `executions ${executionId}`,
        `it is ${status} and not in the line`
      )
    ),
    ...[...line.values()].flatMap(({ executionId }) => {
      const status = executions.get(executionId)?.status
      return unless(
        status !== undefined && !isTerminal(status),
        "queue_consistent",
        `queue_entries ${executionId}`,
        `its execution is ${status ?? "not there"}`
      )
    }),
    ...live.flatMap((saga) => {
      const entry = line.get(saga.executionId)
      if (saga.suspended !== true && saga.nodeId === undefined) return []
      const agrees = saga.suspended === true ? entry?.nodeId === undefined : entry?.nodeId === saga.nodeId
      return unless(
        entry !== undefined && agrees,
        "queue_consistent",
        `sagas ${saga.sagaId}`,
        `it is ${saga.suspended === true ? "suspended" : `on node ${saga.nodeId}`}, its execution is ${entry?.state ?? "not in the line"}`
      )
    })
  ]
}
