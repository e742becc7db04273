/** Lets executions in: checks what is asked for, and makes execution, saga, events and queue item in one transaction. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { Digest } from "effect/crypto"
import type { Origin } from "../auth/Origin.ts"
import type { Principal } from "../auth/Principal.ts"
import { EventFactory } from "../events/EventFactory.ts"
import { EventLog } from "../events/EventLog.ts"
import { ExecutionId } from "../ids/ExecutionId.ts"
import { fingerprint } from "../ids/Fingerprint.ts"
import { Ids } from "../ids/Ids.ts"
import { executionStream, executionSubject } from "../ids/Subject.ts"
import { NodeSlots } from "../instances/NodeSlots.ts"
import { Enqueuer, type StartingHere } from "../queue/Enqueuer.ts"
import type { QueueEntry } from "../queue/QueueEntry.ts"
import type { WaitEstimate } from "../queue/QueueEstimates.ts"
import { QueuePolicy } from "../queue/QueuePolicy.ts"
import { versionWhenAbsent } from "../runtime/Language.ts"
import { requirementOf } from "../runtime/NodeId.ts"
import type { LanguageUnsupported } from "../runtime/RuntimeError.ts"
import { type ChosenRuntime, ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import type { Saga } from "../sagas/Saga.ts"
import { SagaCanceller } from "../sagas/SagaCanceller.ts"
import { SagaEngine } from "../sagas/SagaEngine.ts"
import { SagaExecutor } from "../sagas/SagaExecutor.ts"
import { SagaLauncher } from "../sagas/SagaLauncher.ts"
import type { SagaRestart } from "../sagas/SagaRestart.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { AdmissionPolicy } from "./AdmissionPolicy.ts"
import { AdmissionStore } from "./AdmissionStore.ts"
import { type ConcurrencyPolicy, replacedBy, skipped, turnOf } from "./ConcurrencyPolicy.ts"
import { Execution } from "./Execution.ts"
import { ExecutionEnv } from "./ExecutionEnv.ts"
import {
  IdempotencyKeyReused,
  LimitTooHigh,
  type QueueFull,
  RunAtTooFar,
  type StoredOutputExhausted
} from "./ExecutionError.ts"
import { type ExecutionLimits, exceeded } from "./ExecutionLimits.ts"
import type { ExecutionRequest } from "./ExecutionRequest.ts"
import * as ExecutionSaga from "./ExecutionSaga.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import { ended, requested } from "./executionEvents.ts"
import { IdempotencyStore } from "./IdempotencyStore.ts"
import { makeAdmissionRoom } from "./internal/admissionRoom.ts"
import { requestText } from "./requestText.ts"
import { StoredOutput } from "./StoredOutput.ts"

/** How far ahead a start may be asked for. */
const maxDelay = { days: 365 }

export interface Repetition {
  /** The execution that the new one repeats. */
  readonly retryOf?: ExecutionId | undefined
  /** How its saga goes on from that of the other. */
  readonly restart?: SagaRestart | undefined
}

/** What is run when less was asked for. */
type CompleteRequest = ExecutionRequest & Repetition & { readonly langVersion: string }

/** An execution that is to be let in. */
interface Newcomer {
  readonly execution: Execution
  readonly fileExtension: string
  readonly origin: Origin
  readonly restart: SagaRestart | undefined
  /** Output that is kept for its owner. */
  readonly storedBytes: number
}

/** Of one that does not wait. */
const atOnce: WaitEstimate = { ahead: 0, waitSeconds: 0 }

export type AdmissionError =
  | LanguageUnsupported
  | LimitTooHigh
  | RunAtTooFar
  | QueueFull
  | StoredOutputExhausted
  | IdempotencyKeyReused
  | StorageError

export class ExecutionAdmission extends Context.Service<
  ExecutionAdmission,
  {
    /** See `Executions.submit`. */
    accept(
      caller: Principal,
      request: ExecutionRequest & Repetition,
      origin: Origin
    ): Effect.Effect<Execution, AdmissionError>
  }
>()("@fairlead/core/executions/ExecutionAdmission") {
  static readonly layer = Layer.effect(
    ExecutionAdmission,
    Effect.gen(function* () {
      const [policy, storage] = [yield* AdmissionPolicy, yield* Storage]
      const [executions, entrance, keys] = [yield* ExecutionStore, yield* Enqueuer, yield* IdempotencyStore]
      const [admissions, launcher, events] = [yield* AdmissionStore, yield* SagaLauncher, yield* EventFactory]
      const [runtimes, environment] = [yield* ScriptRuntimes, yield* ExecutionEnv]
      const [room, queuePolicy, stored] = [yield* makeAdmissionRoom, yield* QueuePolicy, yield* StoredOutput]
      const [canceller, ids, log] = [yield* SagaCanceller, yield* Ids, yield* EventLog]
      const [executor, engine, slots] = [yield* SagaExecutor, yield* SagaEngine, yield* NodeSlots]
      const digest = yield* Digest.Digest

      const checkLimits = (limits: ExecutionLimits) => {
        const { maxima } = policy.limits
        const tooHigh = exceeded(limits, maxima).map((limit) => ({
          limit,
          requested: limits[limit],
          maximum: maxima[limit]
        }))
        return tooHigh.length === 0 ? Effect.void : Effect.fail(new LimitTooHigh({ limits: tooHigh }))
      }

      /** The wanted start; absent when it has come already. */
      const startOf = Effect.fnUntraced(function* ({ runAt }: ExecutionRequest) {
        const now = yield* DateTime.now
        if (runAt === undefined || DateTime.isLessThanOrEqualTo(runAt, now)) return undefined
        const latest = DateTime.add(now, maxDelay)
        if (DateTime.isGreaterThan(runAt, latest)) return yield* new RunAtTooFar({ runAt, latest })
        return runAt
      })

      const make = Effect.fnUntraced(function* (
        caller: Principal,
        request: CompleteRequest,
        chosen: ChosenRuntime,
        limits: ExecutionLimits,
        origin: Origin
      ) {
        const executionId = ExecutionId.make(yield* ids.uuid)
        const { concurrencyKey, env, labels = {}, name, retryOf, retryPolicy } = request
        const runAt = yield* startOf(request)
        const at = yield* DateTime.now
        const ttlMillis = request.ttlMillis ?? queuePolicy.ttlMillis
        return new Execution({
          executionId,
          ownerId: caller.userId,
          script: request.script,
          lang: chosen.language,
          langVersion: request.langVersion,
          resolvedVersion: chosen.languageVersion,
          runtime: chosen.runtime.kind,
          args: request.args ?? [],
          limits,
          priority: request.priority ?? 5,
          status: "queued",
          attempt: 0,
          correlationId: origin.correlationId,
          createdAt: at,
          updatedAt: at,
          expiresAt: DateTime.add(runAt ?? at, { milliseconds: ttlMillis }),
          ...(name === undefined ? {} : { name }),
          ...(Object.keys(labels).length === 0 ? {} : { labels }),
          ...(request.waitForBackground === true ? { waitForBackground: true } : {}),
          ...(runAt === undefined ? {} : { runAt }),
          ...(retryPolicy === undefined ? {} : { retryPolicy }),
          ...(concurrencyKey === undefined ? {} : { concurrencyKey }),
          ...(env === undefined ? {} : { sealedEnv: yield* environment.seal(executionId, env) }),
          ...(retryOf === undefined ? {} : { retryOf })
        })
      })

      /** Every newcomer with a key takes its turn, so that no two are decided upon side by side. */
      const claimTurn = Effect.fnUntraced(function* (
        { concurrencyKey, ownerId }: Execution,
        wanted: ConcurrencyPolicy = "queue"
      ) {
        return turnOf(wanted, concurrencyKey === undefined ? [] : yield* entrance.claimKey(ownerId, concurrencyKey))
      })

      const replace = (execution: Execution, others: ReadonlyArray<QueueEntry>) => {
        const request = { at: execution.createdAt, by: "system", reason: replacedBy(execution) }
        return Effect.forEach(others, ({ executionId }) => canceller.record(executionSubject(executionId), request), {
          discard: true
        })
      }

      const claimKey = Effect.fnUntraced(function* (execution: Execution, request: CompleteRequest, key: string) {
        const { createdAt: at, executionId, ownerId } = execution
        const requestHash = yield* Effect.provideService(fingerprint(requestText(request)), Digest.Digest, digest)
        const answer = yield* keys.claim({ ownerId, key, requestHash, executionId, at })
        if (answer._tag === "New") return undefined
        if (!answer.sameRequest) return yield* new IdempotencyKeyReused({ executionId: answer.executionId })
        return Option.getOrUndefined(yield* executions.find(answer.executionId))
      })

      const causeOf = ({ correlationId, executionId, ownerId }: Execution, origin: Origin) => ({
        ...origin,
        aggregateId: executionId,
        correlationId,
        userId: ownerId
      })

      /** One that ends as it is accepted: it never sees the line, nor a saga. */
      const writeSkipped = Effect.fnUntraced(function* (
        { execution, fileExtension, origin }: Newcomer,
        holder: QueueEntry
      ) {
        const end = yield* Effect.orDie(Effect.fromResult(skipped(execution, holder, execution.createdAt)))
        yield* executions.insert(end)
        const told = [
          ...requested(end, fileExtension, 0, undefined).slice(0, 1),
          ...ended(end, { stdout: "", stderr: "" }, undefined)
        ]
        yield* log.append(executionStream(end.executionId), yield* events.makeAll(causeOf(end, origin), told))
        return end
      })

      const orderOf = (execution: Execution, restart?: SagaRestart) => ({
        ...execution,
        definition: restart?.definition ?? ExecutionSaga,
        requirement: requirementOf(execution.runtime, execution.lang, execution.resolvedVersion),
        expiresAt: execution.expiresAt ?? execution.createdAt
      })

      const factsOf = Effect.fnUntraced(function* (
        { execution, fileExtension, origin }: Newcomer,
        { sagaId, sagaName }: Saga,
        { ahead, waitSeconds }: WaitEstimate
      ) {
        const cause = causeOf(execution, origin)
        const made = yield* events.makeAll(cause, requested(execution, fileExtension, ahead, waitSeconds))
        const initialEventId = made[0]?.eventId ?? ""
        const about = { sagaId, sagaName, executionId: execution.executionId, initialEventId }
        return [...made, yield* events.make(cause, { _tag: "SagaStarted", ...about })]
      })

      /** What its driver would write first is written with it. */
      const begin = Effect.fnUntraced(function* (newcomer: Newcomer, here: StartingHere) {
        const first = Option.getOrUndefined(yield* executor.firstWrite(here.saga, newcomer.execution))
        if (first === undefined) return undefined
        const { entries, saga, subject } = first
        const execution = subject instanceof Execution ? subject : newcomer.execution
        const told = [...(yield* factsOf(newcomer, saga, atOnce)), ...first.events]
        const began = yield* admissions.createStarted({ execution, saga, entry: here.entry, entries, events: told })
        return began ? { saga, subject: execution, entries } : undefined
      })

      /** The saga, if this host starts the execution now. */
      const startHere = Effect.fnUntraced(function* (newcomer: Newcomer) {
        const { execution, restart } = newcomer
        const here = restart === undefined ? yield* entrance.startHere(orderOf(execution)) : Option.none()
        if (Option.isNone(here)) return undefined
        const begun = yield* begin(newcomer, here.value)
        if (begun === undefined) yield* slots.free(execution.executionId)
        return begun
      })

      const enqueue = Effect.fnUntraced(function* (newcomer: Newcomer) {
        const { execution, restart } = newcomer
        const { saga, ...estimate } = yield* entrance.enter(orderOf(execution, restart))
        yield* admissions.createQueued({ execution, saga, events: yield* factsOf(newcomer, saga, estimate) })
        yield* launcher.start(saga, restart)
      })

      /** Execution and, if it starts here and now, its saga. A repeated request is answered also when there is no room for a new one. */
      const accept = Effect.fnUntraced(function* (caller: Principal, request: CompleteRequest, newcomer: Newcomer) {
        const [{ execution, storedBytes }, { idempotencyKey }] = [newcomer, request]
        const isPlanned = execution.runAt !== undefined
        const known = idempotencyKey === undefined ? undefined : yield* claimKey(execution, request, idempotencyKey)
        if (known !== undefined) return { execution: known }
        const turn = yield* claimTurn(execution, request.concurrencyPolicy)
        if (turn._tag === "Skip") return { execution: yield* writeSkipped(newcomer, turn.holder) }
        yield* room.check(caller, isPlanned, storedBytes)
        yield* replace(execution, turn.replaced)
        const begun = yield* startHere(newcomer)
        if (begun === undefined) yield* storage.transaction(enqueue(newcomer))
        yield* room.taken(caller, isPlanned)
        return { execution, begun }
      })

      const admit: ExecutionAdmission["Service"]["accept"] = Effect.fnUntraced(function* (caller, asked, origin) {
        const request = { ...asked, langVersion: asked.langVersion ?? versionWhenAbsent(asked.lang) }
        const chosen = yield* runtimes.choose(request.lang, request.langVersion, request.runtime)
        const limits = { ...policy.limits.defaults, ...request.limits }
        yield* checkLimits(limits)
        const execution = yield* make(caller, request, chosen, limits, origin)
        const { concurrencyKey, idempotencyKey, restart } = request
        const storedBytes = yield* stored.bytesOf(caller.userId)
        const newcomer = { execution, fileExtension: chosen.fileExtension, origin, restart, storedBytes }
        const accepted = accept(caller, request, newcomer)
        const isOneWrite = idempotencyKey === undefined && concurrencyKey === undefined
        const whole = isOneWrite ? accepted : storage.transaction(accepted)
        // A slot that was taken for nothing is free again; if it was stored all the same, the store tells so within a second.
        const { begun, ...known } = yield* Effect.onError(whole, () => slots.free(execution.executionId))
        if (begun !== undefined) yield* engine.deliverLocal(begun)
        return known.execution
      })
      return ExecutionAdmission.of({ accept: admit })
    })
  )
}
