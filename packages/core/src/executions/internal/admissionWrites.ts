/** How an accepted execution is written: started here and now, queued, or ended because another one has its concurrency key. */
import { Effect, Option } from "effect"
import { EventFactory } from "../../events/EventFactory.ts"
import { EventLog } from "../../events/EventLog.ts"
import { executionStream } from "../../ids/Subject.ts"
import { NodeSlots } from "../../instances/NodeSlots.ts"
import { Enqueuer, type StartingHere } from "../../queue/Enqueuer.ts"
import type { QueueEntry } from "../../queue/QueueEntry.ts"
import type { WaitEstimate } from "../../queue/QueueEstimates.ts"
import { requirementOf } from "../../runtime/NodeId.ts"
import type { Saga } from "../../sagas/Saga.ts"
import { SagaExecutor } from "../../sagas/SagaExecutor.ts"
import { SagaLauncher } from "../../sagas/SagaLauncher.ts"
import type { SagaRestart } from "../../sagas/SagaRestart.ts"
import { AdmissionStore } from "../AdmissionStore.ts"
import { skipped } from "../ConcurrencyPolicy.ts"
import { Execution } from "../Execution.ts"
import * as ExecutionSaga from "../ExecutionSaga.ts"
import { ExecutionStore } from "../ExecutionStore.ts"
import { ended, requested } from "../executionEvents.ts"
import type { NewExecution } from "./executionMaking.ts"

/** Of one that does not wait. */
const atOnce: WaitEstimate = { ahead: 0, waitSeconds: 0 }

const requestOf = (execution: Execution, restart?: SagaRestart) => ({
  ...execution,
  definition: restart?.definition ?? ExecutionSaga,
  requirement: requirementOf(execution.runtime, execution.lang, execution.resolvedVersion),
  expiresAt: execution.expiresAt ?? execution.createdAt
})

const causeOf = ({ execution: { correlationId, executionId, ownerId }, source }: NewExecution) => ({
  ...source,
  aggregateId: executionId,
  correlationId,
  userId: ownerId
})

const makeFacts = Effect.map(EventFactory, (events) =>
  /** What the world hears of an execution that was accepted. */
  Effect.fnUntraced(function* (accepted: NewExecution, { sagaId, sagaName }: Saga, estimate: WaitEstimate) {
    const { execution, fileExtension } = accepted
    const cause = causeOf(accepted)
    const made = yield* events.makeAll(cause, requested(execution, fileExtension, estimate.ahead, estimate.waitSeconds))
    const initialEventId = made[0]?.eventId ?? ""
    const about = { sagaId, sagaName, executionId: execution.executionId, initialEventId }
    return [...made, yield* events.make(cause, { _tag: "SagaStarted", ...about })]
  })
)

/** Starts an execution here and now, if a slot is free and nobody waits. */
export const makeStartHere = Effect.gen(function* () {
  const [admissions, enqueuer, slots] = [yield* AdmissionStore, yield* Enqueuer, yield* NodeSlots]
  const [executor, factsOf] = [yield* SagaExecutor, yield* makeFacts]

  /** What its executor would write first is written with it. */
  const create = Effect.fnUntraced(function* (accepted: NewExecution, here: StartingHere) {
    const first = Option.getOrUndefined(yield* executor.firstWrite(here.saga, accepted.execution))
    if (first === undefined) return undefined
    const { entries, saga, subject } = first
    const execution = subject instanceof Execution ? subject : accepted.execution
    const events = [...(yield* factsOf(accepted, saga, atOnce)), ...first.events]
    const created = yield* admissions.createStarted({ execution, saga, entry: here.entry, entries, events })
    return created ? { saga, subject: execution, entries } : undefined
  })

  const start = Effect.fnUntraced(function* (accepted: NewExecution) {
    const { execution, request } = accepted
    const here = request.restart === undefined ? yield* enqueuer.startHere(requestOf(execution)) : Option.none()
    if (Option.isNone(here)) return undefined
    const claimed = yield* create(accepted, here.value)
    if (claimed === undefined) yield* slots.release(execution.executionId)
    return claimed
  })
  /** Gives back the slot of an execution that was not stored. If it was stored all the same, the store says so within a second. */
  const abandon = ({ executionId }: Execution) => slots.release(executionId)
  return { start, abandon }
})

/** Puts an execution into the queue; joins the caller's transaction. */
export const makeEnqueue = Effect.gen(function* () {
  const [admissions, enqueuer, launcher] = [yield* AdmissionStore, yield* Enqueuer, yield* SagaLauncher]
  const factsOf = yield* makeFacts
  return Effect.fnUntraced(function* (accepted: NewExecution) {
    const { execution, request } = accepted
    const { saga, ...estimate } = yield* enqueuer.enqueue(requestOf(execution, request.restart))
    yield* admissions.createQueued({ execution, saga, events: yield* factsOf(accepted, saga, estimate) })
    yield* launcher.start(saga, request.restart)
  })
})

/** Writes an execution that ends as it is accepted: it sees neither the queue nor a saga. */
export const makeSkip = Effect.gen(function* () {
  const [executions, events, log] = [yield* ExecutionStore, yield* EventFactory, yield* EventLog]
  return Effect.fnUntraced(function* (accepted: NewExecution, holder: QueueEntry) {
    const { execution, fileExtension } = accepted
    const end = yield* Effect.orDie(Effect.fromResult(skipped(execution, holder, execution.createdAt)))
    yield* executions.insert(end)
    const facts = [
      ...requested(end, fileExtension, 0, undefined).slice(0, 1),
      ...ended(end, { stdout: "", stderr: "" }, undefined)
    ]
    yield* log.append(executionStream(end.executionId), yield* events.makeAll(causeOf(accepted), facts))
    return end
  })
})
