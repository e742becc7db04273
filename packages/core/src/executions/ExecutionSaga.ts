/** The durable process that carries an execution from accepted to ended. */
import { DateTime, Effect, Layer, Option, Result, Schema } from "effect"
import { JobHandle, JobReport } from "../runtime/Job.ts"
import { ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import {
  once,
  type SagaDefinition,
  type SagaStep,
  type StepContext,
  StepError,
  type StepOutcome,
  type StepRetry
} from "../sagas/SagaDefinition.ts"
import { SagaDefinitions } from "../sagas/SagaDriver.ts"
import { beginAttempt, type Execution, finish, schedule } from "./Execution.ts"
import type { ExecutionEnded } from "./ExecutionError.ts"
import { ExecutionJobs } from "./ExecutionJobs.ts"
import { isTerminal } from "./ExecutionStatus.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import { type ExecutionVerdict, verdictOf, verdictOnStopped, verdictWithoutJob } from "./ExecutionVerdict.ts"
import * as Events from "./executionEvents.ts"
import { OutputCollector } from "./OutputCollector.ts"
import { RunSlots } from "./RunSlots.ts"

export const name = "execution_saga"
export const version = 1

/** Longest wait for a slot; then the execution ends as an error. */
const queueHours = 24
/** How long after its timeout a script's end may take to be reported before the saga itself stops it. */
const overdueMillis = 30_000

const runtimeRetry: StepRetry = { maxAttempts: 5, baseDelayMillis: 200, maxDelayMillis: 5_000 }

/** What `start_job` leaves for the steps after it. */
const Started = Schema.Struct({ handle: JobHandle, attempt: Schema.Int })
const started = Schema.toCodecJson(Started)
const reported = Schema.toCodecJson(JobReport)

export const layer = Layer.effect(
  SagaDefinitions,
  Effect.gen(function* () {
    const executions = yield* ExecutionStore
    const runtimes = yield* ScriptRuntimes
    const slots = yield* RunSlots
    const jobs = yield* ExecutionJobs
    const collector = yield* OutputCollector

    /** Moves the execution to its end by a report, with the events that tell it. */
    const conclude = Effect.fnUntraced(function* (
      context: StepContext,
      execution: Execution,
      verdict: ExecutionVerdict
    ) {
      const at = yield* DateTime.now
      const ended = yield* moved(finish(execution, at, verdict.status, verdict.outcome))
      const key = { executionId: ended.executionId, attempt: ended.attempt }
      const excerpts = yield* collector.excerpts(key, verdict.outcome)
      const { cancelRequest } = context.saga
      const cancel = cancelRequest && { ...cancelRequest, forced: verdict.forced }
      return { execution: ended, events: Events.ended(ended, excerpts, cancel) } satisfies StepOutcome
    })

    const validate: SagaStep = {
      name: "validate_execution",
      external: false,
      retry: once,
      run: Effect.fnUntraced(function* ({ execution: { lang, resolvedVersion, runtime } }) {
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

    const allocate: SagaStep = {
      name: "allocate_resources",
      external: false,
      retry: once,
      run: ({ execution: { limits } }) =>
        Effect.succeed({ output: { cpu_millicores: limits.cpuMillicores, memory_bytes: limits.memoryBytes } })
    }

    const queue: SagaStep = {
      name: "queue_execution",
      external: false,
      retry: once,
      run: Effect.fnUntraced(function* ({ execution, flush }) {
        const { executionId, priority } = execution
        const slot = yield* slots.join(executionId, priority)
        if (slot.ahead > 0) yield* flush
        yield* slot.granted
        return {
          execution: yield* moved(schedule(execution, yield* DateTime.now)),
          events: [{ _tag: "ExecutionQueued", executionId, positionInQueue: slot.ahead + 1, estimatedStartTime: null }]
        }
      }),
      undo: ({ execution }) => Effect.as(slots.release(execution.executionId), {})
    }

    const start: SagaStep = {
      name: "start_job",
      external: true,
      retry: runtimeRetry,
      timeoutMillis: 30_000,
      run: Effect.fnUntraced(function* ({ execution }) {
        yield* slots.hold(execution.executionId)
        const running = yield* moved(beginAttempt(execution, yield* DateTime.now))
        const { attempt } = running
        const handle = yield* jobs.start(execution, attempt)
        return {
          output: Schema.encodeSync(started)({ handle, attempt }),
          execution: running,
          events: Events.started(running, handle)
        }
      }),
      undo: Effect.fnUntraced(function* (context) {
        const { compensation, execution, saga } = context
        const begun = startedOf(context)
        const attempt = begun?.attempt ?? execution.attempt + 1
        const report = yield* jobs.stop(saga, execution, attempt)
        if (Option.isNone(report)) return {}
        const running = begun === undefined ? yield* moved(beginAttempt(execution, yield* DateTime.now)) : execution
        const { cause, reason } = compensation ?? (yield* Effect.die("undoing without a cause"))
        return yield* conclude(context, running, verdictOnStopped(report.value, cause, reason))
      })
    }

    const monitor: SagaStep = {
      name: "monitor_execution",
      external: false,
      retry: runtimeRetry,
      run: Effect.fnUntraced(function* (context) {
        const { attempt, handle } = startedOf(context) ?? (yield* Effect.die("monitoring a job that was not started"))
        yield* slots.hold(context.execution.executionId)
        // Committing the start and reading the first output go side by side; neither is visible before the other matters.
        const [report] = yield* Effect.all([jobs.collect(context.saga, handle, attempt), context.flush], {
          concurrency: 2
        })
        return { output: Schema.encodeSync(reported)(report) }
      })
    }

    const store: SagaStep = {
      name: "store_result",
      external: false,
      retry: once,
      run: Effect.fnUntraced(function* (context) {
        const report = Schema.decodeUnknownSync(reported)(context.output(monitor.name))
        return yield* conclude(context, context.execution, verdictOf(report))
      })
    }

    const definition: SagaDefinition = {
      name,
      version,
      load: ({ executionId }) => executions.find(executionId),
      steps: [validate, allocate, queue, start, monitor, store],
      deadline: (saga, { limits, startedAt }) =>
        startedAt === undefined
          ? DateTime.add(saga.createdAt, { hours: queueHours })
          : DateTime.add(startedAt, { milliseconds: limits.timeoutMillis + overdueMillis }),
      afterEnd: (context) => {
        const begun = startedOf(context)
        return begun === undefined ? Effect.void : jobs.remove(begun.handle)
      },
      settle
    }
    return [definition]
  })
)

const startedOf = (context: StepContext): typeof Started.Type | undefined => {
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

/** The execution ends with its saga when no job was there to tell how. */
const settle: SagaDefinition["settle"] = (execution, end, reason, saga, at) => {
  if (isTerminal(execution.status)) return {}
  const verdict = verdictWithoutJob(end, reason)
  const ended = Result.getOrThrow(finish(execution, at, verdict.status, verdict.outcome))
  const cancel = saga.cancelRequest && { ...saga.cancelRequest, forced: false }
  return { execution: ended, events: Events.ended(ended, { stdout: "", stderr: "" }, cancel) }
}
