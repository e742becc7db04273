/** Use cases on executions: submit, look up, cancel, repeat, delete. Running them is the saga's business. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { mayTouch, ownerFilter, type Principal } from "../auth/Principal.ts"
import type { RequestSource } from "../auth/RequestSource.ts"
import type { Permission } from "../auth/roles/Permission.ts"
import { EventFactory } from "../events/EventFactory.ts"
import { type EventFilter, EventLog } from "../events/EventLog.ts"
import type { StoredEvent } from "../events/StoredEvent.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { executionStream, executionSubject } from "../ids/Subject.ts"
import type { OutputName } from "../runtime/Job.ts"
import { SagaCanceller } from "../sagas/SagaCanceller.ts"
import type { SagaRestart } from "../sagas/SagaRestart.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { WakeupWaiters } from "../wakeups/WakeupWaiters.ts"
import { asOfAttempt, attemptsOf, currentAttempt, type Execution } from "./Execution.ts"
import { type AdmissionError, ExecutionAdmission } from "./ExecutionAdmission.ts"
import { ExecutionEnv } from "./ExecutionEnv.ts"
import {
  AttemptNotFound,
  ExecutionActive,
  ExecutionEnded,
  ExecutionNotFound,
  type TooManyLabels
} from "./ExecutionError.ts"
import type { LabelChange } from "./ExecutionLabels.ts"
import { ExecutionOutputStore } from "./ExecutionOutputStore.ts"
import type { ExecutionRequest } from "./ExecutionRequest.ts"
import type { ExecutionResult, OutputDownload, OutputQuery, OutputRange } from "./ExecutionResult.ts"
import { isTerminal } from "./ExecutionStatus.ts"
import { type ExecutionFilter, ExecutionStore } from "./ExecutionStore.ts"
import { makeExecutionResults } from "./internal/executionResults.ts"
import { outputReading } from "./internal/outputReading.ts"
import { OutputCollector } from "./OutputCollector.ts"
import { StoredOutput } from "./StoredOutput.ts"

export class Executions extends Context.Service<
  Executions,
  {
    /**
     * Accepts a script: when this returns, the execution survives a crash of every instance. With a key, the same request again
     * within 24 hours returns the first execution.
     */
    submit(
      caller: Principal,
      request: ExecutionRequest,
      source: RequestSource
    ): Effect.Effect<Execution, AdmissionError>
    get(caller: Principal, id: ExecutionId): Effect.Effect<Execution, ExecutionNotFound | StorageError>
    /** All attempts as the execution stood with each, oldest first, the current one last; at most 20. */
    attempts(
      caller: Principal,
      id: ExecutionId
    ): Effect.Effect<ReadonlyArray<Execution>, ExecutionNotFound | StorageError>
    /** What one attempt left, however the execution went on; as in `result`. */
    attemptResult(
      caller: Principal,
      id: ExecutionId,
      attempt: number
    ): Effect.Effect<ExecutionResult, ExecutionNotFound | AttemptNotFound | StorageError>
    /** Waits for the end up to `waitMillis` (0 to 60,000), then answers with what there is. A text above 64 KiB comes in parts. */
    result(
      caller: Principal,
      id: ExecutionId,
      waitMillis: number
    ): Effect.Effect<ExecutionResult, ExecutionNotFound | StorageError>
    /** Executions the caller may see, newest first, each with the first 16 KiB of its streams; with less on a page of more than 32: 1 MiB in all. */
    list(
      caller: Principal,
      filter: Omit<ExecutionFilter, "ownerId"> & { readonly scope: "own" | "visible" }
    ): Effect.Effect<{ readonly results: ReadonlyArray<ExecutionResult<string>>; readonly total: number }, StorageError>
    events(
      caller: Principal,
      id: ExecutionId,
      filter: EventFilter
    ): Effect.Effect<ReadonlyArray<StoredEvent>, ExecutionNotFound | StorageError>
    /** Bytes of one stream from `offset` on, at most `limit` (1 to 4 MiB); of the latest attempt that began unless one is named. */
    output(
      caller: Principal,
      id: ExecutionId,
      range: OutputQuery
    ): Effect.Effect<OutputRange, ExecutionNotFound | AttemptNotFound | StorageError>
    /** As `output` with a limit of any size; the bytes are read a window at a time, as they are taken. */
    download(
      caller: Principal,
      id: ExecutionId,
      range: OutputQuery
    ): Effect.Effect<OutputDownload, ExecutionNotFound | AttemptNotFound | StorageError>
    /**
     * Asks the execution to end and returns at once; the status follows within 2 s. `requested` is false if it was cancelled
     * before. Fails with `ExecutionEnded` if it ended in another way.
     */
    cancel(
      caller: Principal,
      id: ExecutionId,
      reason: string | undefined,
      source: RequestSource
    ): Effect.Effect<
      { readonly requested: boolean; readonly execution: Execution },
      ExecutionNotFound | ExecutionEnded | StorageError
    >
    /** Changes what the execution is called, at any time. */
    relabel(
      caller: Principal,
      id: ExecutionId,
      change: LabelChange
    ): Effect.Effect<Execution, ExecutionNotFound | TooManyLabels | StorageError>
    /**
     * Runs the same script again as a new execution whose `retryOf` is `id`, with the same limits, retry policy, concurrency key, name and labels:
     * it waits for its turn, whatever the first one's policy was. Its start is not delayed, and it may wait as long as the instance allows.
     * With `restart`, its saga goes on from another one.
     * Fails with `ExecutionActive` until `id` has ended.
     */
    retry(
      caller: Principal,
      id: ExecutionId,
      source: RequestSource,
      restart?: SagaRestart
    ): Effect.Effect<Execution, ExecutionNotFound | ExecutionActive | AdmissionError>
    /**
     * Removes an execution that has ended, with output and result. For an administrator it cancels one that is active first, and waits up
     * to 10 s for its end. Fails with `ExecutionActive` if it is still active.
     */
    remove(
      caller: Principal,
      id: ExecutionId,
      source: RequestSource
    ): Effect.Effect<void, ExecutionNotFound | ExecutionActive | StorageError>
  }
>()("@fairlead/core/executions/Executions") {
  static readonly layer = Layer.effect(
    Executions,
    Effect.gen(function* () {
      const [store, outputs, log] = [yield* ExecutionStore, yield* ExecutionOutputStore, yield* EventLog]
      const [canceller, collector, stored] = [yield* SagaCanceller, yield* OutputCollector, yield* StoredOutput]
      const [admission, environment] = [yield* ExecutionAdmission, yield* ExecutionEnv]
      const { textOf, windows } = outputReading(outputs, collector)
      const { previewsOf, resultOf } = makeExecutionResults(outputs, textOf)
      const [waiters, storage, events] = [yield* WakeupWaiters, yield* Storage, yield* EventFactory]

      const find = Effect.fnUntraced(function* (caller: Principal, permission: Permission, executionId: ExecutionId) {
        const found = yield* store.find(executionId)
        if (Option.isNone(found) || !mayTouch(caller, permission, found.value.ownerId))
          return yield* new ExecutionNotFound({ executionId })
        return found.value
      })

      const attemptOf = Effect.fnUntraced(function* (caller: Principal, executionId: ExecutionId, attempt?: number) {
        const execution = yield* find(caller, "executions:read", executionId)
        const found = asOfAttempt(execution, attempt ?? Math.max(1, execution.attempt))
        if (found !== undefined) return { execution, found }
        const attempts = currentAttempt(execution)
        return yield* new AttemptNotFound({ executionId, attempt: attempt ?? attempts, attempts })
      })

      /** What is known of one attempt's stream beside its bytes. */
      const positionOf = Effect.fnUntraced(function* (
        caller: Principal,
        executionId: ExecutionId,
        attempt: number | undefined,
        output: OutputName
      ) {
        const { execution, found } = yield* attemptOf(caller, executionId, attempt)
        const sizes = yield* outputs.sizes(found)
        return {
          found,
          size: sizes[output],
          ended: isTerminal(found.status),
          truncated: found.outcome?.truncated ?? false,
          omission: found.outcome?.omitted?.[output],
          attempt: found.attempt,
          last: isTerminal(execution.status) && currentAttempt(execution) === found.attempt
        }
      })

      /** The execution once it has ended, or as it is when the time is up. */
      const settled = Effect.fnUntraced(function* (
        caller: Principal,
        permission: Permission,
        id: ExecutionId,
        waitMillis: number
      ) {
        if (waitMillis <= 0) return yield* find(caller, permission, id)
        // Listening begins before the first look, so that no end falls between the two.
        const next = yield* waiters.on([`stream/${executionStream(id)}`], 1000)
        const first = yield* find(caller, permission, id)
        if (isTerminal(first.status)) return first
        const ended = Effect.gen(function* () {
          while (true) {
            yield* next
            const execution = yield* find(caller, permission, id)
            if (isTerminal(execution.status)) return execution
          }
        })
        return yield* Effect.timeoutOrElse(ended, {
          duration: waitMillis,
          orElse: () => find(caller, permission, id)
        })
      }, Effect.scoped)

      /** `false` if it has ended. While it is asked one attempt may end and another one follow: then that one is asked. */
      const requestCancel = Effect.fnUntraced(function* (caller: Principal, id: ExecutionId, reason: string) {
        const request = { at: yield* DateTime.now, by: caller.username, reason }
        for (let asked = 0; asked < cancelRounds; asked++) {
          if (yield* canceller.requestFor(executionSubject(id), request)) return true
          const found = yield* store.find(id)
          if (Option.isNone(found) || isTerminal(found.value.status)) return false
        }
        return false
      })

      return Executions.of({
        submit: Effect.fn("Executions.submit")((caller, request, source) => admission.accept(caller, request, source)),
        get: Effect.fn("Executions.get")((caller, id) => find(caller, "executions:read", id)),
        attempts: Effect.fn("Executions.attempts")(function* (caller, id) {
          return attemptsOf(yield* find(caller, "executions:read", id))
        }),
        attemptResult: Effect.fn("Executions.attemptResult")(function* (caller, id, attempt) {
          return yield* resultOf((yield* attemptOf(caller, id, attempt)).found)
        }),
        result: Effect.fn("Executions.result")(function* (caller, id, waitMillis) {
          return yield* resultOf(yield* settled(caller, "executions:read", id, waitMillis))
        }),
        list: Effect.fn("Executions.list")(function* (caller, { scope, ...filter }) {
          const ownerId = scope === "own" ? caller.userId : ownerFilter(caller, "executions:read")
          const { executions, total } = yield* store.list({ ...filter, ownerId })
          return { results: yield* previewsOf(executions), total }
        }),
        events: Effect.fn("Executions.events")(function* (caller, id, filter) {
          const execution = yield* find(caller, "executions:read", id)
          return yield* log.readStream(executionStream(execution.executionId), filter)
        }),
        output: Effect.fn("Executions.output")(function* (caller, id, { attempt, limit, offset, output }) {
          const { found, ...facts } = yield* positionOf(caller, id, attempt, output)
          return { ...facts, offset, bytes: yield* outputs.read(found, output, offset, limit) }
        }),
        download: Effect.fn("Executions.download")(function* (caller, id, { attempt, limit, offset, output }) {
          const { found, ...facts } = yield* positionOf(caller, id, attempt, output)
          const length = Math.max(0, Math.min(limit, facts.size - offset))
          return { ...facts, offset, length, bytes: windows(found, output, offset, offset + length) }
        }),
        cancel: Effect.fn("Executions.cancel")(function* (caller, id, reason) {
          const execution = yield* find(caller, "executions:write", id)
          if (execution.status === "cancelled") return { requested: false, execution }
          if (!isTerminal(execution.status) && (yield* requestCancel(caller, id, reason ?? defaultReason)))
            return { requested: true, execution }
          const ended = yield* find(caller, "executions:write", id)
          if (ended.status === "cancelled") return { requested: false, execution: ended }
          return yield* new ExecutionEnded({ executionId: id, executionStatus: ended.status })
        }),
        relabel: Effect.fn("Executions.relabel")(function* (caller, id, change) {
          yield* find(caller, "executions:write", id)
          const changed = yield* store.relabel(id, change)
          return Option.isSome(changed) ? changed.value : yield* new ExecutionNotFound({ executionId: id })
        }),
        retry: Effect.fn("Executions.retry")(function* (caller, id, source, restart) {
          const execution = yield* find(caller, "executions:write", id)
          if (!isTerminal(execution.status))
            return yield* new ExecutionActive({ executionId: id, executionStatus: execution.status })
          const { lang, langVersion, runtime, script, sealedEnv } = execution
          const env = sealedEnv === undefined ? undefined : yield* Effect.orDie(environment.open(execution))
          const { args, concurrencyKey, labels, limits, name, priority, retryPolicy, waitForBackground } = execution
          const again = { args, env, limits, waitForBackground, priority, retryPolicy, concurrencyKey, name, labels }
          const request = { script, lang, langVersion, runtime, ...again, retryOf: id, restart }
          return yield* admission.accept(caller, request, source)
        }),
        remove: Effect.fn("Executions.remove")(function* (caller, id, source) {
          const execution = yield* find(caller, "executions:delete", id)
          const isActive = !isTerminal(execution.status)
          if (isActive && !mayTouch(caller, "executions:admin", execution.ownerId))
            return yield* new ExecutionActive({ executionId: id, executionStatus: execution.status })
          if (isActive) yield* requestCancel(caller, id, "user_requested")
          const ended = yield* settled(caller, "executions:delete", id, removalMillis)
          const cause = { ...source, aggregateId: id, userId: caller.userId }
          const deleted = yield* events.make(cause, {
            _tag: "ExecutionDeleted",
            executionId: id,
            deletedBy: caller.username
          })
          yield* storage.transaction(
            Effect.gen(function* () {
              if (!(yield* store.remove(id)))
                return yield* new ExecutionActive({ executionId: id, executionStatus: ended.status })
              yield* log.append(executionStream(execution.executionId), [deleted])
            })
          )
          yield* stored.deleted(execution.ownerId)
        })
      })
    })
  )
}

const defaultReason = "User requested cancellation"
/** Each round means another attempt that ended just then. */
const cancelRounds = 3
/** How long a deletion waits for a script to end. */
const removalMillis = 10_000
