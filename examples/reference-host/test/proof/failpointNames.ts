/**
 * Where a host can be killed: every step of an execution, on either side of what makes it last. A point is named
 * `what:before` or `what:after`; `FAIRLEAD_FAILPOINT` takes one of them, with `:n` behind it for the n-th time it is reached.
 */

/** Transactions, by what is written in them: the side is that of the commit. */
const commits = ["commit(accept)", "commit(admit)", "commit(retry)"]

/** Calls of ports. Inside a transaction `after` still lies before the commit. */
const calls = [
  "runtime.start",
  "runtime.stop",
  "runtime.remove",
  "output.append",
  "queue.admit",
  "saga.claim",
  "saga.requestCancel"
]

/** Appends to a saga's log, by what is in them; one append may hold several. */
const entries = [
  "SagaStarted",
  "StepCompleted(validate_execution)",
  "StepCompleted(allocate_resources)",
  "StepCompleted(queue_execution)",
  "StepStarted(start_job)",
  "StepCompleted(start_job)",
  "StepFailed(start_job)",
  "StepCompleted(monitor_execution)",
  "StepCompleted(store_result)",
  "CompensationStarted(failed)",
  "CompensationStarted(cancelled)",
  "CompensationStarted(timeout)",
  "UndoStarted(start_job)",
  "StepUndone(start_job)",
  "StepUndone(queue_execution)",
  "SagaEnded(completed)",
  "SagaEnded(failed)",
  "SagaEnded(cancelled)",
  "SagaEnded(timeout)"
]

export const failpointNames: ReadonlyArray<string> = [
  ...commits,
  ...calls,
  ...entries.map((entry) => `journal:${entry}`)
].flatMap((what) => [`${what}:before`, `${what}:after`])
