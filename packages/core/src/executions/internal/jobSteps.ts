/** The steps of an execution that has a job. */
import { DateTime, Effect, Option, Schema } from "effect"
import { jobIdOf } from "../../runtime/JobId.ts"
import { nodeOf } from "../../runtime/NodeId.ts"
import { once, type SagaStep, type StepContext, type StepRetry } from "../../sagas/SagaDefinition.ts"
import { beginAttempt, type Execution } from "../Execution.ts"
import type { ExecutionJobs } from "../ExecutionJobs.ts"
import { verdictOf, verdictOnStopped } from "../ExecutionVerdict.ts"
import * as Events from "../executionEvents.ts"
import { publicReport, publicStart, reported, type Started, started, startStep } from "../stepOutputs.ts"
import type { AttemptEnd } from "./attemptEnd.ts"
import { moved } from "./executionMoves.ts"

const monitorStep = "monitor_execution"

const runtimeRetry: StepRetry = { maxAttempts: 5, baseDelayMillis: 200, maxDelayMillis: 5_000 }

export const jobSteps = (jobs: ExecutionJobs["Service"], end: AttemptEnd): ReadonlyArray<SagaStep<Execution>> => {
  /**
   * A start that another instance began, on a node that this one cannot look into: nobody will know what became of it. A start that
   * failed may have begun all the same.
   */
  const isLost = Effect.fnUntraced(function* ({ attempt, begun, subject: { nodeId } }: StepContext<Execution>) {
    return (begun || attempt > 1) && nodeId !== undefined && !(yield* jobs.reaches(nodeId))
  })

  const start: SagaStep<Execution> = {
    name: startStep,
    external: true,
    retry: runtimeRetry,
    timeoutMillis: 30_000,
    publicOutput: publicStart,
    run: Effect.fnUntraced(function* (context) {
      const { assertFence, subject: execution } = context
      const running = yield* moved(beginAttempt(execution, yield* DateTime.now))
      const { attempt, executionId, nodeId, runtime } = running
      if (yield* isLost(context)) {
        const handle = { runtime, jobId: jobIdOf(executionId, attempt), node: nodeOf(nodeId) }
        return { output: Schema.encodeSync(started)({ handle, attempt }), subject: running }
      }
      yield* assertFence
      const handle = yield* jobs.start(execution, attempt)
      return {
        output: Schema.encodeSync(started)({ handle, attempt }),
        subject: running,
        events: Events.started(running, handle)
      }
    }),
    undo: Effect.fnUntraced(function* (context) {
      const { compensation, saga, subject: execution } = context
      const begun = startedOf(context)
      const attempt = begun?.attempt ?? execution.attempt + 1
      const report = yield* jobs.stop(saga, execution, attempt)
      if (Option.isNone(report)) return {}
      const running = begun === undefined ? yield* moved(beginAttempt(execution, yield* DateTime.now)) : execution
      const { cause, reason } = compensation ?? (yield* Effect.die("undoing without a cause"))
      return yield* end.conclude(saga, running, verdictOnStopped(report.value, cause, reason))
    })
  }

  const monitor: SagaStep<Execution> = {
    name: monitorStep,
    external: false,
    retry: runtimeRetry,
    publicOutput: publicReport,
    run: Effect.fnUntraced(function* (context) {
      const { attempt, handle } = startedOf(context) ?? (yield* Effect.die("monitoring a job that was not started"))
      // Only executors of this saga store output of the attempt: the first one, the first time, finds none.
      const fresh = context.saga.fence === 1 && context.attempt === 1
      // Committing the start and reading the first output go side by side; neither is visible before the other matters.
      const [report] = yield* Effect.all([jobs.collect(context.saga, handle, attempt, fresh), context.flush], {
        concurrency: 2
      })
      return { output: Schema.encodeSync(reported)(report) }
    })
  }

  return [start, monitor, storeStep(end)]
}

/** `undefined` until the job was started. */
export const startedOf = (context: Pick<StepContext, "output">): typeof Started.Type | undefined => {
  const output = context.output(startStep)
  return output === undefined ? undefined : Schema.decodeUnknownSync(started)(output)
}

const storeStep = (end: AttemptEnd): SagaStep<Execution> => ({
  name: "store_result",
  external: false,
  instant: true,
  retry: once,
  run: Effect.fnUntraced(function* (context) {
    const report = Schema.decodeUnknownSync(reported)(context.output(monitorStep))
    const { saga, subject: execution } = context
    const verdict = verdictOf(report)
    return yield* end.reported(saga, execution, verdict)
  })
})
