/** Lets executions in: checks what is asked for, and makes execution, saga, events and queue item in one transaction. */
import { Context, DateTime, Effect, Layer, Option, Redacted } from "effect"
import { Digest } from "effect/crypto"
import type { Origin } from "../auth/Origin.ts"
import type { Principal } from "../auth/Principal.ts"
import { EventFactory } from "../events/EventFactory.ts"
import { fingerprint } from "../ids/Fingerprint.ts"
import { Ids } from "../ids/Ids.ts"
import { QueueEntrance } from "../queue/QueueEntrance.ts"
import { QueueGauge } from "../queue/QueueGauge.ts"
import { activeIn } from "../queue/QueueLoad.ts"
import { QueuePolicy } from "../queue/QueuePolicy.ts"
import { demandOf } from "../runtime/Place.ts"
import type { LanguageUnsupported } from "../runtime/RuntimeError.ts"
import { type ChosenRuntime, ScriptRuntimes } from "../runtime/ScriptRuntimes.ts"
import { SagaLauncher } from "../sagas/SagaLauncher.ts"
import { Journal } from "../storage/Journal.ts"
import { Storage } from "../storage/Storage.ts"
import type { StorageError } from "../storage/StorageError.ts"
import { Execution } from "./Execution.ts"
import { ExecutionEnv } from "./ExecutionEnv.ts"
import { IdempotencyKeyReused, LimitTooHigh, QueueFull } from "./ExecutionError.ts"
import { ExecutionId } from "./ExecutionId.ts"
import { defaultLimitPolicy, type ExecutionLimitPolicy, type ExecutionLimits, exceeded } from "./ExecutionLimits.ts"
import type { ExecutionRequest } from "./ExecutionRequest.ts"
import * as ExecutionSaga from "./ExecutionSaga.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import { requested } from "./executionEvents.ts"
import { IdempotencyStore } from "./IdempotencyStore.ts"

/** What a host lets in. A host replaces it once, at start-up. */
export const AdmissionPolicy = Context.Reference<{
  readonly limits: ExecutionLimitPolicy
  /** Active executions of everybody; beyond it requests are refused. */
  readonly maxActive: number
  readonly maxActivePerUser: number
}>("@fairlead/core/executions/AdmissionPolicy", {
  defaultValue: () => ({ limits: defaultLimitPolicy, maxActive: 10_000, maxActivePerUser: 1_000 })
})

/** Seconds after which a client that found the queue full may ask again. */
const retryAfterSeconds = 5

export type AdmissionError = LanguageUnsupported | LimitTooHigh | QueueFull | IdempotencyKeyReused | StorageError

export class ExecutionAdmission extends Context.Service<
  ExecutionAdmission,
  {
    /** See `Executions.submit`; `retryOf` names the execution that the new one repeats. */
    admit(
      caller: Principal,
      request: ExecutionRequest & { readonly retryOf?: ExecutionId | undefined },
      origin: Origin
    ): Effect.Effect<Execution, AdmissionError>
  }
>()("@fairlead/core/executions/ExecutionAdmission") {
  static readonly layer = Layer.effect(
    ExecutionAdmission,
    Effect.gen(function* () {
      const policy = yield* AdmissionPolicy
      const storage = yield* Storage
      const [executions, entrance, keys] = [yield* ExecutionStore, yield* QueueEntrance, yield* IdempotencyStore]
      const [journal, launcher, events] = [yield* Journal, yield* SagaLauncher, yield* EventFactory]
      const [runtimes, environment] = [yield* ScriptRuntimes, yield* ExecutionEnv]
      const [gauge, queuePolicy, ids] = [yield* QueueGauge, yield* QueuePolicy, yield* Ids]
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

      const checkRoom = Effect.fnUntraced(function* (caller: Principal) {
        const { maxActive, maxActivePerUser } = policy
        if (activeIn(yield* gauge.load) >= maxActive)
          return yield* new QueueFull({ scope: "host", maximum: maxActive, retryAfterSeconds })
        if ((yield* executions.countActive(caller.userId)) >= maxActivePerUser)
          return yield* new QueueFull({ scope: "user", maximum: maxActivePerUser, retryAfterSeconds })
      })

      const make = Effect.fnUntraced(function* (
        caller: Principal,
        request: ExecutionRequest & { readonly retryOf?: ExecutionId | undefined },
        chosen: ChosenRuntime,
        limits: ExecutionLimits,
        origin: Origin
      ) {
        const executionId = ExecutionId.make(yield* ids.uuid)
        const { concurrencyKey, env, retryOf, retryPolicy, runAt } = request
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
          ...(runAt === undefined ? {} : { runAt }),
          ...(retryPolicy === undefined ? {} : { retryPolicy }),
          ...(concurrencyKey === undefined ? {} : { concurrencyKey }),
          ...(env === undefined ? {} : { sealedEnv: yield* environment.seal(executionId, env) }),
          ...(retryOf === undefined ? {} : { retryOf })
        })
      })

      const claimKey = Effect.fnUntraced(function* (execution: Execution, request: ExecutionRequest, key: string) {
        const { createdAt: at, executionId, ownerId } = execution
        const requestHash = yield* Effect.provideService(fingerprint(canonical(request)), Digest.Digest, digest)
        const answer = yield* keys.claim({ ownerId, key, requestHash, executionId, at })
        if (answer._tag === "New") return undefined
        if (!answer.sameRequest) return yield* new IdempotencyKeyReused({ executionId: answer.executionId })
        return Option.getOrUndefined(yield* executions.find(answer.executionId))
      })

      const write = Effect.fnUntraced(function* (execution: Execution, fileExtension: string, origin: Origin) {
        const { correlationId, executionId, ownerId } = execution
        const cause = { ...origin, aggregateId: executionId, correlationId, userId: ownerId }
        const { ahead, saga, waitSeconds } = yield* entrance.enter({
          ...execution,
          definition: ExecutionSaga,
          demand: demandOf(execution.runtime, execution.lang, execution.resolvedVersion),
          expiresAt: execution.expiresAt ?? execution.createdAt
        })
        const made = yield* events.makeAll(cause, requested(execution, fileExtension, ahead, waitSeconds))
        const started = yield* events.make(cause, {
          _tag: "SagaStarted",
          sagaId: saga.sagaId,
          sagaName: saga.sagaName,
          executionId,
          initialEventId: made[0]?.eventId ?? ""
        })
        yield* journal.open({ execution, saga, events: [...made, started] })
        yield* launcher.start(saga)
      })

      const admit: ExecutionAdmission["Service"]["admit"] = Effect.fnUntraced(function* (caller, request, origin) {
        const chosen = yield* runtimes.choose(request.lang, request.langVersion, request.runtime)
        const limits = { ...policy.limits.defaults, ...request.limits }
        yield* checkLimits(limits)
        const execution = yield* make(caller, request, chosen, limits, origin)
        const { idempotencyKey } = request
        return yield* storage.transaction(
          Effect.gen(function* () {
            // A repeated request is answered with its execution also when there is no room for a new one.
            const known = idempotencyKey === undefined ? undefined : yield* claimKey(execution, request, idempotencyKey)
            if (known !== undefined) return known
            yield* checkRoom(caller)
            yield* write(execution, chosen.fileExtension, origin)
            return execution
          })
        )
      })
      return ExecutionAdmission.of({ admit })
    })
  )
}

/** The same text for the same request: members in a fixed order, secrets included, the key itself left out. */
const canonical = ({ args, env, lang, langVersion, limits, priority, runtime, script, ...more }: ExecutionRequest) =>
  JSON.stringify([
    script,
    lang,
    langVersion,
    runtime ?? null,
    args ?? [],
    env === undefined ? [] : Object.entries(Redacted.value(env)).sort(([a], [b]) => (a < b ? -1 : 1)),
    Object.entries(limits ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    priority ?? null,
    ...timing(more)
  ])

/** Nothing for a request that names none of these, so that its text stays what it was before they were there. */
const timing = ({ concurrencyKey, retryPolicy, runAt, ttlMillis }: Partial<ExecutionRequest>) => {
  const wanted = [concurrencyKey, retryPolicy, runAt && DateTime.formatIso(runAt), ttlMillis]
  return wanted.some((each) => each !== undefined) ? wanted : []
}
