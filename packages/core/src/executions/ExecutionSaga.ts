/** The durable process that carries an execution from accepted to ended. */
import { DateTime, Effect, Option, Result, Schema } from "effect"
import { EventFactory } from "../events/EventFactory.ts"
import { EventLog } from "../events/EventLog.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { executionIdOf, executionStream } from "../ids/Subject.ts"
import { NodeSlots } from "../instances/NodeSlots.ts"
import { Enqueuer } from "../queue/Enqueuer.ts"
import { QueuePolicy } from "../queue/QueuePolicy.ts"
import { jobIdOf } from "../runtime/JobId.ts"
import { NodeId, nodeOf } from "../runtime/NodeId.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import type { Saga } from "../sagas/Saga.ts"
import {
  once,
  type SagaDefinition,
  type SagaStep,
  type StepContext,
  StepError,
  type StepOutcome,
  type StepRetry
} from "../sagas/SagaDefinition.ts"
import { beginAttempt, currentAttempt, type Execution, finish, requeue, schedule } from "./Execution.ts"
import type { ExecutionEnded } from "./ExecutionError.ts"
import { ExecutionJobs } from "./ExecutionJobs.ts"
import { ExecutionOutputStore } from "./ExecutionOutputStore.ts"
import { isTerminal } from "./ExecutionStatus.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import { type ExecutionVerdict, verdictOf, verdictOnStopped, verdictWithoutJob } from "./ExecutionVerdict.ts"
import * as Events from "./executionEvents.ts"
import { OutputCollector } from "./OutputCollector.ts"
import { nextAttemptAt } from "./RetryPolicy.ts"
import { publicReport, publicStart, reported, type Started, started } from "./stepOutputs.ts"

export const name = "execution_saga"
export const version = 1

/** How long after its timeout a script's end may take to be reported before the saga itself stops it. */
const overdueMillis = 30_000

/** The step that starts the script: from its intent on, the script may have run. */
export const startStep = "start_job"

const runtimeRetry: StepRetry = { maxAttempts: 5, baseDelayMillis: 200, maxDelayMillis: 5_000 }

const decodeNodeId = Schema.decodeUnknownOption(NodeId)

export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const runtimes = yield* ScriptRuntimes
  const [slots, entrance, policy] = [yield* NodeSlots, yield* Enqueuer, yield* QueuePolicy]
  const jobs = yield* ExecutionJobs
  const [collector, outputs] = [yield* OutputCollector, yield* ExecutionOutputStore]
  const [log, events] = [yield* EventLog, yield* EventFactory]

  /** What the acceptance tells of the first attempt, of a later one. */
  const tell = Effect.fnUntraced(function* (
    executionId: ExecutionId,
    { correlationId, ownerId, sagaId, sagaName }: Saga,
    at: DateTime.Utc
  ) {
    const cause = { aggregateId: executionId, correlationId, userId: ownerId }
    const facts = yield* events.makeAll(cause, [
      { _tag: "ExecutionQueued", executionId, positionInQueue: null, estimatedStartTime: at },
      { _tag: "SagaStarted", sagaId, sagaName, executionId, initialEventId: "" }
    ])
    yield* log.append(executionStream(executionId), facts)
  })

  /** Sends the execution back into the line for another attempt, if its policy wants one. */
  const retried = Effect.fnUntraced(function* (saga: Saga, execution: Execution, verdict: ExecutionVerdict) {
    const { executionId, retryPolicy } = execution
    const at = yield* DateTime.now
    const { outcome, status } = verdict
    const runAt = nextAttemptAt(retryPolicy, currentAttempt(execution), outcome.errorType, at)
    if (runAt === undefined || saga.cancelRequest !== undefined) return undefined
    const expiresAt = DateTime.add(runAt, { milliseconds: policy.ttlMillis })
    const again = requeue(execution, at, status, outcome, expiresAt)
    const ended = Result.isSuccess(again) ? again.success.earlierAttempts?.at(-1) : undefined
    if (Result.isFailure(again) || ended === undefined) return undefined
    const order = {
      executionId,
      ownerId: saga.ownerId,
      correlationId: saga.correlationId,
      definition: { name, version }
    }
    return {
      subject: again.success,
      events: [Events.attemptFailed(ended, executionId, runAt)],
      also: Effect.flatMap(entrance.requeue(order, runAt, expiresAt), (next) => tell(executionId, next, runAt))
    } satisfies StepOutcome<Execution>
  })

  /** Moves the execution to its end by a report, with the events that tell it. */
  const conclude = Effect.fnUntraced(function* (saga: Saga, execution: Execution, verdict: ExecutionVerdict) {
    const ended = yield* moved(finish(execution, yield* DateTime.now, verdict.status, verdict.outcome))
    const key = { executionId: ended.executionId, attempt: ended.attempt }
    const previews = yield* collector.previews(key, verdict.outcome)
    const { cancelRequest } = saga
    const cancel = cancelRequest && { ...cancelRequest, forced: verdict.forced }
    return { subject: ended, events: Events.ended(ended, previews, cancel) } satisfies StepOutcome<Execution>
  })

  const validate: SagaStep<Execution> = {
    name: "validate_execution",
    external: false,
    reusable: true,
    retry: once,
    run: Effect.fnUntraced(function* ({ subject: { lang, resolvedVersion, runtime } }) {
      yield* Effect.catchTag(runtimes.choose(lang, resolvedVersion, runtime), "LanguageUnsupported", ({ _tag }) =>
        Effect.fail(
          new StepError({
            failureType: _tag,
            detail: `the ${runtime} runtime of this host no longer offers ${lang} ${resolvedVersion}`,
            retryable: false
          })
        )
      )
      return {}
    })
  }

  const allocate: SagaStep<Execution> = {
    name: "allocate_resources",
    external: false,
    reusable: true,
    retry: once,
    publicOutput: (output) => output,
    run: ({ subject: { limits } }) =>
      Effect.succeed({ output: { cpu_millicores: limits.cpuMillicores, memory_bytes: limits.memoryBytes } })
  }

  /** The line has let the execution in before its saga was dispatched; this writes down where. */
  const queue: SagaStep<Execution> = {
    name: "queue_execution",
    external: false,
    retry: { maxAttempts: 5, baseDelayMillis: 500, maxDelayMillis: 5_000 },
    run: Effect.fnUntraced(function* ({ saga, subject: execution }) {
      const nodeId = Option.getOrUndefined(decodeNodeId(saga.nodeId))
      if (nodeId === undefined)
        return yield* new StepError({
          failureType: "NotAssigned",
          detail: "the execution was not let in by the line",
          retryable: true
        })
      return { subject: yield* moved(schedule(execution, yield* DateTime.now, nodeId)) }
    }),
    // The row of the slot goes with the end of the execution, and only then the slot is free.
    undo: () => Effect.succeed({})
  }

  /**
   * A start that another host began, in a place that this one cannot look into: nobody will know what became of it. A start that
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
      return yield* conclude(saga, running, verdictOnStopped(report.value, cause, reason))
    })
  }

  const monitor: SagaStep<Execution> = {
    name: "monitor_execution",
    external: false,
    retry: runtimeRetry,
    publicOutput: publicReport,
    run: Effect.fnUntraced(function* (context) {
      const { attempt, handle } = startedOf(context) ?? (yield* Effect.die("monitoring a job that was not started"))
      // Only drivers of this saga store output of the attempt: the first one, the first time, finds none.
      const fresh = context.saga.fence === 1 && context.attempt === 1
      // Committing the start and reading the first output go side by side; neither is visible before the other matters.
      const [report] = yield* Effect.all([jobs.collect(context.saga, handle, attempt, fresh), context.flush], {
        concurrency: 2
      })
      return { output: Schema.encodeSync(reported)(report) }
    })
  }

  const store: SagaStep<Execution> = {
    name: "store_result",
    external: false,
    retry: once,
    run: Effect.fnUntraced(function* (context) {
      const report = Schema.decodeUnknownSync(reported)(context.output(monitor.name))
      const { saga, subject: execution } = context
      const verdict = verdictOf(report)
      return (yield* retried(saga, execution, verdict)) ?? (yield* conclude(saga, execution, verdict))
    })
  }

  /** The execution ends with its saga when no job was there to tell how. */
  const finalize: SagaDefinition<Execution>["finalize"] = Effect.fnUntraced(
    function* (execution, end, reason, saga, at) {
      // The undoing of a start has ended it already.
      if (isTerminal(execution.status)) return {}
      const without = verdictWithoutJob(end, reason)
      const key = { executionId: execution.executionId, attempt: currentAttempt(execution) }
      const stored = yield* outputs.sizes(key)
      const sizes = { stdoutBytes: stored.stdout, stderrBytes: stored.stderr }
      const verdict = { ...without, outcome: { ...without.outcome, ...sizes } }
      const again = end === "failed" ? yield* retried(saga, execution, verdict) : undefined
      if (again !== undefined) return again
      // What a start left whose undoing was given up is the output of an attempt that had begun.
      const hasBegun = execution.startedAt === undefined && stored.stdout + stored.stderr > 0
      const last = hasBegun ? Result.getOrThrow(beginAttempt(execution, at)) : execution
      // Before its first start the next attempt leaves nothing: what the one before wrote stays to be read.
      const { stderr, stdout } = yield* outputs.sizes(last)
      const outcome = { ...verdict.outcome, stdoutBytes: stdout, stderrBytes: stderr }
      const ended = Result.getOrThrow(finish(last, at, verdict.status, outcome))
      const cancel = saga.cancelRequest && { ...saga.cancelRequest, forced: false }
      return { subject: ended, events: Events.ended(ended, yield* collector.previews(ended, outcome), cancel) }
    }
  )

  const definition: SagaDefinition<Execution> = {
    name,
    version,
    load: ({ subject }) => {
      const executionId = executionIdOf(subject)
      return executionId === undefined ? Effect.succeedNone : executions.find(executionId)
    },
    steps: [validate, allocate, queue, start, monitor, store],
    deadline: (saga, { expiresAt, limits, startedAt }) =>
      startedAt === undefined
        ? (expiresAt ?? DateTime.add(saga.createdAt, { milliseconds: policy.ttlMillis }))
        : DateTime.add(startedAt, { milliseconds: limits.timeoutMillis + overdueMillis }),
    cleanup: Effect.fnUntraced(function* (context) {
      yield* slots.free(context.subject.executionId)
      const begun = startedOf(context)
      if (begun !== undefined) yield* jobs.remove(begun.handle)
    }),
    finalize
  }
  return definition
})

const startedOf = (context: Pick<StepContext, "output">): typeof Started.Type | undefined => {
  const output = context.output("start_job")
  return output === undefined ? undefined : Schema.decodeUnknownSync(started)(output)
}

/** The saga is the only one to move its execution, so a move that is refused is a step that cannot succeed. */
const moved = (move: Result.Result<Execution, ExecutionEnded>): Effect.Effect<Execution, StepError> =>
  Effect.mapError(
    Effect.fromResult(move),
    ({ _tag, executionStatus }) =>
      new StepError({ failureType: _tag, detail: `the execution is ${executionStatus} already`, retryable: false })
  )
