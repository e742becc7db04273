/** Whether the line agrees with executions and sagas. Pure. */
import type { Execution } from "../executions/Execution.ts"
import { isTerminal } from "../executions/ExecutionStatus.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { executionIdOf } from "../ids/Subject.ts"
import type { QueueEntry } from "../queue/QueueEntry.ts"
import { isEnded, type Saga } from "../sagas/Saga.ts"
import { type Breach, unless } from "./Breach.ts"

/** The same as the adapters ask in their own way. A saga that was sent to any driver, to be ended, needs no entry any more. */
export const lineBreaches = (
  executions: ReadonlyMap<ExecutionId, Execution>,
  sagas: ReadonlyArray<Saga>,
  line: ReadonlyMap<ExecutionId, QueueEntry>
): ReadonlyArray<Breach> => {
  const live = sagas.flatMap((saga) => {
    const executionId = executionIdOf(saga.subject)
    return executionId === undefined || isEnded(saga.state) ? [] : [{ ...saga, executionId }]
  })
  const ending = new Set(live.flatMap((saga) => (saga.parked || saga.lane !== undefined ? [] : [saga.executionId])))
  return [
    ...[...executions.values()].flatMap(({ executionId, status }) =>
      unless(
        isTerminal(status) || line.has(executionId) || ending.has(executionId),
        "line_kept",
        `executions ${executionId}`,
        `it is ${status} and not in the line`
      )
    ),
    ...[...line.values()].flatMap(({ executionId }) => {
      const status = executions.get(executionId)?.status
      return unless(
        status !== undefined && !isTerminal(status),
        "line_kept",
        `queue_entries ${executionId}`,
        `its execution is ${status ?? "not there"}`
      )
    }),
    ...live.flatMap((saga) => {
      const entry = line.get(saga.executionId)
      if (saga.parked !== true && saga.lane === undefined) return []
      const agrees = saga.parked === true ? entry?.place === undefined : entry?.place === saga.lane
      return unless(
        entry !== undefined && agrees,
        "line_kept",
        `sagas ${saga.sagaId}`,
        `it is ${saga.parked === true ? "parked" : `in lane ${saga.lane}`}, its execution is ${entry?.state ?? "not in the line"}`
      )
    })
  ]
}
