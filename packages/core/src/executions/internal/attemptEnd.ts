/** What becomes of an execution when an attempt of it is over: another attempt, or its end. */
import { DateTime, Effect, Result } from "effect"
import { EventFactory } from "../../events/EventFactory.ts"
import { EventLog } from "../../events/EventLog.ts"
import type { ExecutionId } from "../../ids/ExecutionId.ts"
import { executionStream } from "../../ids/Subject.ts"
import { Enqueuer } from "../../queue/Enqueuer.ts"
import { QueuePolicy } from "../../queue/QueuePolicy.ts"
import type { Saga } from "../../sagas/Saga.ts"
import type { SagaDefinition, StepOutcome } from "../../sagas/SagaDefinition.ts"
import { beginAttempt, currentAttempt, type Execution, finish, requeue } from "../Execution.ts"
import { ExecutionOutputStore } from "../ExecutionOutputStore.ts"
import { isTerminal } from "../ExecutionStatus.ts"
import { type ExecutionVerdict, verdictWithoutJob } from "../ExecutionVerdict.ts"
import * as Events from "../executionEvents.ts"
import { OutputCollector } from "../OutputCollector.ts"
import { nextAttemptAt } from "../RetryPolicy.ts"
import { moved } from "./executionMoves.ts"

interface Definition {
  readonly name: string
  readonly version: number
}

/** Sends an execution back into the queue for another attempt, if its policy wants one. `definition`: of the saga of that attempt. */
const makeNextAttempt = Effect.fnUntraced(function* (definition: Definition) {
  const [enqueuer, policy] = [yield* Enqueuer, yield* QueuePolicy]
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

  return Effect.fnUntraced(function* (saga: Saga, execution: Execution, verdict: ExecutionVerdict) {
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
      definition
    }
    return {
      subject: again.success,
      events: [Events.attemptFailed(ended, executionId, runAt)],
      also: Effect.flatMap(enqueuer.requeue(order, runAt, expiresAt), (next) => tell(executionId, next, runAt))
    } satisfies StepOutcome<Execution>
  })
})

export const makeAttemptEnd = Effect.fnUntraced(function* (definition: {
  readonly name: string
  readonly version: number
}) {
  const [collector, outputs] = [yield* OutputCollector, yield* ExecutionOutputStore]

  const retried = yield* makeNextAttempt(definition)

  /** Moves the execution to its end by a report, with the events that tell it. */
  const conclude = Effect.fnUntraced(function* (saga: Saga, execution: Execution, verdict: ExecutionVerdict) {
    const ended = yield* moved(finish(execution, yield* DateTime.now, verdict.status, verdict.outcome))
    const key = { executionId: ended.executionId, attempt: ended.attempt }
    const previews = yield* collector.previews(key, verdict.outcome)
    const { cancelRequest } = saga
    const cancel = cancelRequest && { ...cancelRequest, forced: verdict.forced }
    return { subject: ended, events: Events.ended(ended, previews, cancel) } satisfies StepOutcome<Execution>
  })

  /** The execution ends with its saga when no job was there to tell how. */
  const withoutJob: SagaDefinition<Execution>["finalize"] = Effect.fnUntraced(
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

  /** By a report of its job: another attempt if its policy wants one, or else its end. */
  const reported = Effect.fnUntraced(function* (saga: Saga, execution: Execution, verdict: ExecutionVerdict) {
    return (yield* retried(saga, execution, verdict)) ?? (yield* conclude(saga, execution, verdict))
  })

  return { conclude, reported, withoutJob }
})

export type AttemptEnd = Effect.Success<ReturnType<typeof makeAttemptEnd>>
