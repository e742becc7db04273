/** What an executor does for each decision: runs steps and undoes them, and records what came of it in the session. */
import { DateTime, Effect, Result, type Scope } from "effect"
import type { StorageError } from "../../storage/StorageError.ts"
import { decide, type SagaDecision } from "../SagaDecision.ts"
import type { SagaDefinition, SagaFenced, StepContext, StepOutcome, StepRetry } from "../SagaDefinition.ts"
import type { HeldSaga } from "../SagaWatch.ts"
import type { SagaSession as Session } from "./sagaSession.ts"
import { bounded, failed } from "./stepAttempt.ts"

/** Undoing must succeed if it can: it is tried for about half a minute. */
const undoRetry: StepRetry = { maxAttempts: 8, baseDelayMillis: 250, maxDelayMillis: 10_000 }

type Executing<A> = Effect.Effect<A, SagaFenced | StorageError, Scope.Scope>

export const nextOf = Effect.fnUntraced(function* (definition: SagaDefinition, session: Session) {
  const saga = yield* session.saga
  return decide(
    yield* session.progress,
    definition.steps.map(({ name, undo }) => ({ name, hasUndo: undo !== undefined })),
    {
      now: yield* DateTime.now,
      cancelRequest: saga.cancelRequest,
      deadline: definition.deadline(saga, yield* session.subject)
    }
  )
})

export const start = ({ name, version: definitionVersion }: SagaDefinition, session: Session) =>
  session.record({ _tag: "SagaStarted", name, definitionVersion })

export const perform = (
  definition: SagaDefinition,
  session: Session,
  held: HeldSaga,
  decision: Exclude<SagaDecision, { readonly _tag: "Done" }>
): Executing<void> => {
  switch (decision._tag) {
    case "Start":
      return start(definition, session)
    case "Run":
      return Effect.andThen(
        Effect.flatMap(recordIntent(definition, session, decision), (recorded) =>
          recorded ? session.flush : Effect.void
        ),
        run(definition, session, held, decision)
      )
    case "Compensate":
      return Effect.andThen(
        session.record({ _tag: "CompensationStarted", cause: decision.cause, reason: decision.reason }),
        session.flush
      )
    case "Undo":
      return undo(definition, session, decision)
    case "Wait":
      return Effect.andThen(session.flush, wait(held, decision.until))
    case "End":
      return end(definition, session, decision)
  }
}

type Run = Extract<SagaDecision, { readonly _tag: "Run" }>

/** `true` if the step acts on the outside world and begins: then it may run once what was recorded is committed. */
export const recordIntent = Effect.fnUntraced(function* (
  definition: SagaDefinition,
  session: Session,
  { attempt, begun, step }: Run
) {
  const { external } = yield* stepNamed(definition, step)
  if (!external || begun) return false
  yield* session.record({ _tag: "StepStarted", step, attempt })
  return true
})

export const run = Effect.fnUntraced(function* (
  definition: SagaDefinition,
  session: Session,
  held: HeldSaga,
  { attempt, begun, step: name }: Run
) {
  const step = yield* stepNamed(definition, name)
  const deadline = definition.deadline(yield* session.saga, yield* session.subject)
  const attempted = bounded(step, step.run(yield* contextOf(session, attempt, begun)))
  const result = yield* step.instant === true
    ? attempted
    : Effect.raceAllFirst([
        attempted,
        Effect.as(held.cancelled, "interrupted" as const),
        deadline === undefined ? Effect.never : Effect.as(sleepUntil(deadline), "interrupted" as const)
      ])
  // The next decision sees the request or the deadline that interrupted the step.
  if (result === "interrupted") return
  if (Result.isSuccess(result))
    return yield* session.record(
      { _tag: "StepCompleted", step: name, output: result.success.output ?? null },
      result.success
    )
  yield* session.record({
    _tag: "StepFailed",
    step: name,
    attempt,
    ...(yield* failed(result.failure, step.retry, attempt))
  })
})

const undo = Effect.fnUntraced(function* (
  definition: SagaDefinition,
  session: Session,
  { attempt, begun, step: name }: Extract<SagaDecision, { readonly _tag: "Undo" }>
) {
  const step = yield* stepNamed(definition, name)
  if (step.undo === undefined) return yield* Effect.die(`step ${name} has no undo`)
  if (step.external && !begun) {
    yield* session.record({ _tag: "UndoStarted", step: name, attempt })
    yield* session.flush
  }
  const result = yield* bounded(step, step.undo(yield* contextOf(session, attempt, begun)))
  if (Result.isSuccess(result)) return yield* session.record({ _tag: "StepUndone", step: name }, result.success)
  yield* session.record({
    _tag: "UndoFailed",
    step: name,
    attempt,
    ...(yield* failed(result.failure, undoRetry, attempt))
  })
})

const end = Effect.fnUntraced(function* (
  definition: SagaDefinition,
  session: Session,
  { end: reached, reason }: Extract<SagaDecision, { readonly _tag: "End" }>
) {
  const outcome: StepOutcome =
    reached === "completed"
      ? {}
      : yield* definition.finalize(
          yield* session.subject,
          reached,
          reason ?? reached,
          yield* session.saga,
          yield* DateTime.now
        )
  yield* session.record({ _tag: "SagaEnded", end: reached, ...(reason === undefined ? {} : { reason }) }, outcome)
  yield* session.flush
  yield* definition
    .cleanup(yield* contextOf(session, 1, false))
    .pipe(Effect.catchTag("StepError", (error) => Effect.logWarning("Could not clean up after a saga.", error)))
})

const wait = (held: HeldSaga, until: DateTime.Utc) => Effect.raceFirst(sleepUntil(until), Effect.asVoid(held.cancelled))

const sleepUntil = (time: DateTime.Utc) =>
  Effect.flatMap(DateTime.now, (now) =>
    Effect.sleep(Math.max(0, DateTime.toEpochMillis(time) - DateTime.toEpochMillis(now)))
  )

const stepNamed = (definition: SagaDefinition, name: string) => {
  const step = definition.steps.find((candidate) => candidate.name === name)
  return step === undefined ? Effect.die(`${definition.name} has no step ${name}`) : Effect.succeed(step)
}

const contextOf = Effect.fnUntraced(function* (session: Session, attempt: number, begun: boolean) {
  const progress = yield* session.progress
  const context: StepContext = {
    saga: yield* session.saga,
    subject: yield* session.subject,
    attempt,
    begun,
    compensation: progress.compensation,
    output: (step) => progress.completed.find((done) => done.step === step)?.output,
    flush: session.flush,
    assertFence: session.assertFence
  }
  return context
})
