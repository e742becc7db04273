/** Makes an execution of a request: chooses its runtime, checks what is asked for, and seals its environment. Stores nothing. */
import { DateTime, Effect } from "effect"
import type { Principal } from "../../auth/Principal.ts"
import type { RequestSource } from "../../auth/RequestSource.ts"
import { ExecutionId } from "../../ids/ExecutionId.ts"
import { Ids } from "../../ids/Ids.ts"
import { QueuePolicy } from "../../queue/QueuePolicy.ts"
import { versionWhenAbsent } from "../../runtime/Language.ts"
import { ScriptRuntimes } from "../../runtime/ScriptRuntimes.ts"
import type { SagaRestart } from "../../sagas/SagaRestart.ts"
import { AdmissionPolicy } from "../AdmissionPolicy.ts"
import { Execution } from "../Execution.ts"
import { ExecutionEnv } from "../ExecutionEnv.ts"
import { LimitTooHigh, RunAtTooFar } from "../ExecutionError.ts"
import { type ExecutionLimits, exceeded } from "../ExecutionLimits.ts"
import type { ExecutionRequest } from "../ExecutionRequest.ts"

export interface Repetition {
  /** The execution that the new one repeats. */
  readonly retryOf?: ExecutionId | undefined
  /** How its saga goes on from that of the other. */
  readonly restart?: SagaRestart | undefined
}

/** A request with what applies when less was asked for. */
export type CompleteRequest = ExecutionRequest & Repetition & { readonly langVersion: string }

/** An execution that is not stored yet. */
export interface NewExecution {
  readonly execution: Execution
  readonly request: CompleteRequest
  readonly fileExtension: string
  readonly source: RequestSource
}

/** How far ahead a start may be asked for. */
const maxDelay = { days: 365 }

export const makeExecutionMaking = Effect.gen(function* () {
  const [{ limits: policy }, queuePolicy] = [yield* AdmissionPolicy, yield* QueuePolicy]
  const [runtimes, environment, ids] = [yield* ScriptRuntimes, yield* ExecutionEnv, yield* Ids]

  const limitsOf = Effect.fnUntraced(function* (request: ExecutionRequest) {
    const limits: ExecutionLimits = { ...policy.defaults, ...request.limits }
    const tooHigh = exceeded(limits, policy.maxima).map((limit) => ({
      limit,
      requested: limits[limit],
      maximum: policy.maxima[limit]
    }))
    return tooHigh.length === 0 ? limits : yield* new LimitTooHigh({ limits: tooHigh })
  })

  /** The wanted start; absent when it has come already. */
  const startOf = Effect.fnUntraced(function* ({ runAt }: ExecutionRequest, now: DateTime.Utc) {
    if (runAt === undefined || DateTime.isLessThanOrEqualTo(runAt, now)) return undefined
    const latest = DateTime.add(now, maxDelay)
    return DateTime.isGreaterThan(runAt, latest) ? yield* new RunAtTooFar({ runAt, latest }) : runAt
  })

  return Effect.fnUntraced(function* (caller: Principal, asked: ExecutionRequest & Repetition, source: RequestSource) {
    const request: CompleteRequest = { ...asked, langVersion: asked.langVersion ?? versionWhenAbsent(asked.lang) }
    const chosen = yield* runtimes.choose(request.lang, request.langVersion, request.runtime)
    const limits = yield* limitsOf(request)
    const [at, executionId] = [yield* DateTime.now, ExecutionId.make(yield* ids.uuid)]
    const runAt = yield* startOf(request, at)
    const { concurrencyKey, env, labels = {}, name, retryOf, retryPolicy } = request
    const execution = new Execution({
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
      correlationId: source.correlationId,
      createdAt: at,
      updatedAt: at,
      expiresAt: DateTime.add(runAt ?? at, { milliseconds: request.ttlMillis ?? queuePolicy.ttlMillis }),
      ...(name === undefined ? {} : { name }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(request.waitForBackground === true ? { waitForBackground: true } : {}),
      ...(runAt === undefined ? {} : { runAt }),
      ...(retryPolicy === undefined ? {} : { retryPolicy }),
      ...(concurrencyKey === undefined ? {} : { concurrencyKey }),
      ...(env === undefined ? {} : { sealedEnv: yield* environment.seal(executionId, env) }),
      ...(retryOf === undefined ? {} : { retryOf })
    })
    return { execution, request, fileExtension: chosen.fileExtension, source } satisfies NewExecution
  })
})
