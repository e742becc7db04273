/** Whether the row of an execution agrees with itself, and whether the keys that lead to it are its owner's. */
import { DateTime } from "effect"
import type { Execution, ExecutionOutcome } from "../executions/Execution.ts"
import { isTerminal, type TerminalStatus } from "../executions/ExecutionStatus.ts"
import type { Check } from "./ExecutionRecords.ts"
import { unless, type Violation } from "./Violation.ts"

const readable: Check = ({ unreadable }) =>
  unreadable.map(({ key, part, problem }) => ({ invariant: "row_readable", row: `${part} ${key}`, detail: problem }))

const about =
  (judge: (execution: Execution) => ReadonlyArray<readonly [holds: boolean, detail: string]>): Check =>
  ({ execution }) => {
    if (execution === undefined) return []
    return judge(execution).flatMap(([holds, detail]) => unless(holds, "execution_state", rowOf(execution), detail))
  }

const ended = about(({ finishedAt, outcome, status }) => {
  const terminal = isTerminal(status)
  return [
    [terminal === (outcome !== undefined), `it is ${status} and has ${outcome === undefined ? "no" : "an"} outcome`],
    [
      terminal === (finishedAt !== undefined),
      `it is ${status} and has ${finishedAt === undefined ? "no" : "an"} end time`
    ]
  ]
})

/** Each attempt before the current one is remembered, and the current one counts once it has begun. */
const attempted = about(({ attempt, earlierAttempts = [], startedAt, status }) => {
  const begun = startedAt === undefined ? 0 : 1
  return [
    [
      attempt === earlierAttempts.length + begun,
      `attempt ${attempt} after ${earlierAttempts.length} others, ${begun === 0 ? "no" : "a"} start time`
    ],
    [
      earlierAttempts.every((earlier, i) => earlier.attempt === i + 1),
      "its earlier attempts are not numbered from 1 without gaps"
    ],
    [status !== "running" || begun === 1, "it is running, but no attempt began"]
  ]
})

const timed = about(({ createdAt, finishedAt, startedAt, updatedAt }) => {
  const times = [
    { name: "created", at: createdAt },
    { name: "started", at: startedAt },
    { name: "finished", at: finishedAt },
    { name: "updated", at: updatedAt }
  ].flatMap(({ at, name }) => (at === undefined ? [] : [{ name, at }]))
  return times.slice(1).map(({ at, name }, i) => {
    const before = times[i]
    return [
      before === undefined || DateTime.isLessThanOrEqualTo(before.at, at),
      `${name} ${DateTime.formatIso(at)} is before ${before?.name}`
    ]
  })
})

/** What an outcome must say for its status to be the one it is. */
const fits: Record<TerminalStatus, (outcome: ExecutionOutcome) => boolean> = {
  completed: ({ errorType, exitCode }) => exitCode === 0 && errorType === undefined,
  failed: ({ errorType, exitCode }) =>
    errorType !== undefined && errorType !== "timeout" && !(errorType === "script_error" && exitCode === 0),
  timeout: ({ errorType }) => errorType === "timeout",
  cancelled: ({ errorType }) => errorType === undefined,
  error: ({ errorType }) => errorType !== undefined && errorType !== "timeout"
}

const concluded = about(({ outcome, status }) =>
  outcome === undefined || !isTerminal(status)
    ? []
    : [
        [
          fits[status](outcome),
          `it is ${status}, its outcome says error type ${outcome.errorType ?? "none"} and exit code ${outcome.exitCode ?? "none"}`
        ],
        [outcome.stdoutBytes >= 0 && outcome.stderrBytes >= 0, "its outcome counts less than no output"]
      ]
)

const keyed: Check = ({ execution, keys }): ReadonlyArray<Violation> => {
  if (execution === undefined) return []
  return keys.flatMap(({ key, ownerId }, i) => [
    ...unless(
      ownerId === execution.ownerId,
      "row_owned",
      `idempotency_keys ${ownerId}/${key}`,
      `it leads to execution ${execution.executionId} of ${execution.ownerId}`
    ),
    ...unless(i === 0, "row_owned", `idempotency_keys ${ownerId}/${key}`, "its execution has another key already")
  ])
}

const rowOf = ({ executionId }: Execution) => `executions ${executionId}`

export const executionChecks: ReadonlyArray<Check> = [readable, ended, attempted, timed, concluded, keyed]
