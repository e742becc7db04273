/**
 * Core put together: every use case over whatever stores, runtimes and keys the host provides. A host that wants less takes
 * `layerIdentity` or `layerExecutions`, or composes the services' own layers.
 */
import { Effect, Layer, type Redacted } from "effect"
import { Digest, Mac, SecureRandom } from "effect/crypto"
import { AuthEvents } from "./auth/AuthEvents.ts"
import { AuthKeys } from "./auth/AuthKeys.ts"
import { ApiKeys } from "./auth/api-keys/ApiKeys.ts"
import { Csrf } from "./auth/csrf/Csrf.ts"
import { LiveCredentials } from "./auth/LiveCredentials.ts"
import { RefreshTokens } from "./auth/sessions/RefreshTokens.ts"
import { SessionRevoker } from "./auth/sessions/SessionRevoker.ts"
import { Sessions } from "./auth/sessions/Sessions.ts"
import { Logins } from "./auth/users/Logins.ts"
import { PasswordChecks } from "./auth/users/PasswordChecks.ts"
import { Users } from "./auth/users/Users.ts"
import { WakeupWaiters } from "./bus/WakeupWaiters.ts"
import { EventFactory } from "./events/EventFactory.ts"
import { ExecutionAdmission } from "./executions/ExecutionAdmission.ts"
import { ExecutionEnv } from "./executions/ExecutionEnv.ts"
import { ExecutionFeed } from "./executions/ExecutionFeed.ts"
import { ExecutionJobs } from "./executions/ExecutionJobs.ts"
import * as ExecutionSaga from "./executions/ExecutionSaga.ts"
import { Executions } from "./executions/Executions.ts"
import * as IdempotencyExpiry from "./executions/IdempotencyExpiry.ts"
import * as JobReaper from "./executions/JobReaper.ts"
import { OutputCollector } from "./executions/OutputCollector.ts"
import { QueueGauge } from "./executions/QueueGauge.ts"
import { RunSlots } from "./executions/RunSlots.ts"
import { Health } from "./health/Health.ts"
import { Ids } from "./ids/Ids.ts"
import { SagaCanceller } from "./sagas/SagaCanceller.ts"
import { SagaDriver } from "./sagas/SagaDriver.ts"
import { SagaEngine } from "./sagas/SagaEngine.ts"
import { SagaLauncher } from "./sagas/SagaLauncher.ts"
import { Sagas } from "./sagas/Sagas.ts"
import { SagaWatch } from "./sagas/SagaWatch.ts"

export interface ExecutionHostOptions {
  /** Names this host in what it writes; unique among the hosts of one database, and the same after a restart. */
  readonly hostName: string
  /** Scripts that run at once on this host; the others wait in line. */
  readonly maxRunning: number
  /** Sagas in hand at once, those waiting for a slot included; at least `maxRunning`. */
  readonly maxDrivers: number
}

export interface IdentityOptions {
  /** Of at least 32 bytes. All hosts that share a database share it; another one ends every session. */
  readonly secret: Redacted.Redacted
}

const crypto = Layer.mergeAll(Digest.layerWebCrypto, Mac.layerWebCrypto).pipe(
  Layer.provideMerge(SecureRandom.layerWebCrypto)
)

/** What both halves stand on. Needs the stores. */
const basics = Layer.mergeAll(WakeupWaiters.layer, EventFactory.layer).pipe(
  Layer.provideMerge(Ids.layer),
  Layer.provideMerge(crypto)
)

/** Takes sagas from the queue and drives them until the scope closes; what was in hand is then handed back. */
const layerDrivers = (maxDrivers: number) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const engine = yield* SagaEngine
      const driver = yield* SagaDriver
      yield* engine.run(driver.drive, maxDrivers)
    })
  )

/** Executions and sagas: accepting, driving, following. Needs the stores, `ScriptRuntimes` and `Secrets`. */
export const layerExecutions = ({ hostName, maxDrivers, maxRunning }: ExecutionHostOptions) => {
  const parts = Layer.mergeAll(RunSlots.layer(maxRunning), QueueGauge.layer, ExecutionEnv.layer, OutputCollector.layer)
  const driving = SagaCanceller.layer.pipe(
    Layer.provideMerge(SagaDriver.layer(hostName)),
    Layer.provideMerge(SagaWatch.layer),
    Layer.provideMerge(ExecutionSaga.layer),
    Layer.provideMerge(ExecutionJobs.layer)
  )
  const useCases = ExecutionFeed.layer.pipe(
    Layer.provideMerge(Executions.layer),
    Layer.provideMerge(Sagas.layer),
    Layer.provide(ExecutionAdmission.layer.pipe(Layer.provide(SagaLauncher.layer)))
  )
  return Layer.mergeAll(useCases, layerDrivers(maxDrivers), JobReaper.layer, IdempotencyExpiry.layer).pipe(
    Layer.provide(driving),
    Layer.provide(parts),
    Layer.provide(basics)
  )
}

/** Users, sessions and API keys. Needs the stores, `PasswordHasher` and `AccessTokens`. */
export const layerIdentity = ({ secret }: IdentityOptions) => {
  const keys = Layer.mergeAll(RefreshTokens.layer, Csrf.layer).pipe(Layer.provideMerge(AuthKeys.layer({ secret })))
  const shared = Layer.mergeAll(Logins.layer, SessionRevoker.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(PasswordChecks.layer, LiveCredentials.layer, AuthEvents.layer))
  )
  return Layer.mergeAll(Users.layer, Sessions.layer, ApiKeys.layer).pipe(
    Layer.provide(keys),
    Layer.provide(shared),
    Layer.provide(basics)
  )
}

/** Everything that the API needs. Needs the stores, `ScriptRuntimes`, `Secrets`, `PasswordHasher` and `AccessTokens`. */
export const layer = (options: ExecutionHostOptions & IdentityOptions) =>
  Layer.mergeAll(layerExecutions(options), layerIdentity(options), Health.layer)
