/**
 * Core put together: every use case over whatever stores, runtimes and keys the instance provides. An instance that wants less takes
 * `layerIdentity` or `layerExecutions`, or composes the services' own layers.
 */
import { Effect, Layer, type Redacted } from "effect"
import { Digest, Mac, SecureRandom, WebCrypto } from "effect/crypto"
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
import { EventFactory } from "./events/EventFactory.ts"
import { ExecutionAdmission } from "./executions/ExecutionAdmission.ts"
import { ExecutionEnv } from "./executions/ExecutionEnv.ts"
import { ExecutionFeed } from "./executions/ExecutionFeed.ts"
import { ExecutionJobs } from "./executions/ExecutionJobs.ts"
import { ExecutionRestarts } from "./executions/ExecutionRestarts.ts"
import * as ExecutionSaga from "./executions/ExecutionSaga.ts"
import { Executions } from "./executions/Executions.ts"
import { ForceFail } from "./executions/ForceFail.ts"
import * as IdempotencyExpiry from "./executions/IdempotencyExpiry.ts"
import * as JobReaper from "./executions/JobReaper.ts"
import * as LostExecutions from "./executions/LostExecutions.ts"
import { OutputCollector } from "./executions/OutputCollector.ts"
import * as Retention from "./executions/Retention.ts"
import { StoredOutput } from "./executions/StoredOutput.ts"
import { Transcripts } from "./executions/Transcripts.ts"
import { Health } from "./health/Health.ts"
import { Instances } from "./health/Instances.ts"
import { Ids } from "./ids/Ids.ts"
import { pooled } from "./ids/pooledRandomness.ts"
import { InstanceRegistry } from "./instances/InstanceRegistry.ts"
import { NodeSlots } from "./instances/NodeSlots.ts"
import { Enqueuer } from "./queue/Enqueuer.ts"
import { Queue } from "./queue/Queue.ts"
import * as QueueDispatcher from "./queue/QueueDispatcher.ts"
import { QueueEstimates } from "./queue/QueueEstimates.ts"
import { QueueStats } from "./queue/QueueStats.ts"
import { SagaCanceller } from "./sagas/SagaCanceller.ts"
import type { SagaDefinition } from "./sagas/SagaDefinition.ts"
import { SagaEngine } from "./sagas/SagaEngine.ts"
import { SagaDefinitions, SagaExecutor } from "./sagas/SagaExecutor.ts"
import { SagaLauncher } from "./sagas/SagaLauncher.ts"
import { SagaNodes } from "./sagas/SagaNodes.ts"
import { Sagas } from "./sagas/Sagas.ts"
import { SagaTerminator } from "./sagas/SagaTerminator.ts"
import { SagaWatch } from "./sagas/SagaWatch.ts"
import { StuckSagas } from "./sagas/StuckSagas.ts"
import { WakeupWaiters } from "./wakeups/WakeupWaiters.ts"

export interface ExecutionHostOptions {
  /** Names this instance in what it writes; unique among the instances of one database, and the same after a restart. */
  readonly instanceName: string
  /** Of the program that runs this instance; for people. */
  readonly version?: string | undefined
  /** Scripts that run at once on each node that this instance serves; the others wait in the queue. */
  readonly maxRunning: number
  /** Executions are removed so many days after their end; 0, the default: never. */
  readonly retentionDays?: number | undefined
  /** How long a node may be without any instance before what ran there is given up as lost; 45 s by default, 20 s at least. */
  readonly nodeTimeoutMillis?: number | undefined
  /** Sagas that this instance executes besides those of executions. Every version of one stays until no saga of it is in flight. */
  readonly sagas?: ReadonlyArray<SagaDefinition> | undefined
}

export interface IdentityOptions {
  /** Of at least 32 bytes. All instances that share a database share it; another one ends every session. */
  readonly secret: Redacted.Redacted
}

const crypto = Layer.mergeAll(Digest.layerWebCrypto, Mac.layerWebCrypto).pipe(
  Layer.provideMerge(
    Layer.effect(
      SecureRandom.SecureRandom,
      WebCrypto.WebCrypto.use((source) =>
        Effect.succeed(SecureRandom.make(pooled((bytes) => void source.getRandomValues(bytes))))
      )
    )
  )
)

/** What both halves stand on. Needs the stores. */
const basics = Layer.mergeAll(WakeupWaiters.layer, EventFactory.layer).pipe(
  Layer.provideMerge(Ids.layer),
  Layer.provideMerge(crypto)
)

/** Sagas in hand at once beyond those that hold a slot: cancelled ones, lost ones, ones that are tidied up. */
const spareExecutors = 16

/** Takes sagas from the queue and executes them until the scope closes; what was in hand is then handed back. */
const layerExecutors = Layer.effectDiscard(
  Effect.gen(function* () {
    const [engine, executor, slots] = [yield* SagaEngine, yield* SagaExecutor, yield* NodeSlots]
    const nodes = (yield* slots.nodes).map(({ capacity, nodeId }) => ({
      nodeId: nodeId,
      maxExecutors: capacity + spareExecutors
    }))
    yield* engine.run(executor.execute, [{ nodeId: undefined, maxExecutors: spareExecutors }, ...nodes])
  })
)

/** Executions and sagas: accepting, executing, following. Needs the stores, `ScriptRuntimes` and `Secrets`. */
export const layerExecutions = (options: ExecutionHostOptions) => {
  const { nodeTimeoutMillis = 45_000, instanceName, maxRunning, retentionDays = 0, sagas = [], version = "" } = options
  const parts = Layer.mergeAll(Enqueuer.layer, ExecutionEnv.layer, OutputCollector.layer, StoredOutput.layer).pipe(
    Layer.provideMerge(QueueEstimates.layer),
    Layer.provideMerge(Layer.mergeAll(QueueStats.layer, SagaNodes.layer, SagaLauncher.layer)),
    Layer.provideMerge(InstanceRegistry.layer({ name: instanceName, version })),
    Layer.provideMerge(NodeSlots.layer(maxRunning))
  )
  const executing = Layer.mergeAll(SagaCanceller.layer, SagaTerminator.layer(instanceName)).pipe(
    Layer.provideMerge(SagaExecutor.layer(instanceName)),
    Layer.provideMerge(SagaWatch.layer),
    Layer.provideMerge(
      Layer.effect(
        SagaDefinitions,
        Effect.map(ExecutionSaga.make, (own) => [own, ...sagas])
      )
    ),
    Layer.provideMerge(ExecutionJobs.layer)
  )
  const useCases = Layer.mergeAll(
    ExecutionFeed.layer,
    Transcripts.layer,
    ExecutionRestarts.layer,
    ForceFail.layer
  ).pipe(
    Layer.provideMerge(Executions.layer),
    Layer.provideMerge(Layer.mergeAll(Instances.layer, Queue.layer, Sagas.layer, StuckSagas.layer)),
    Layer.provide(ExecutionAdmission.layer)
  )
  const background = Layer.mergeAll(
    layerExecutors,
    QueueDispatcher.layer,
    JobReaper.layer,
    LostExecutions.layer(Math.max(nodeTimeoutMillis, 20_000)),
    IdempotencyExpiry.layer,
    Retention.layer(retentionDays)
  )
  return Layer.mergeAll(useCases, background).pipe(
    Layer.provide(executing),
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
  return Layer.mergeAll(Users.layer, Sessions.layer).pipe(
    Layer.provideMerge(ApiKeys.layer),
    Layer.provide(keys),
    Layer.provide(shared),
    Layer.provide(basics)
  )
}

/** Everything that the API needs. Needs the stores, `ScriptRuntimes`, `Secrets`, `PasswordHasher` and `AccessTokens`. */
export const layer = (options: ExecutionHostOptions & IdentityOptions) =>
  Layer.mergeAll(layerExecutions(options), layerIdentity(options), Health.layer)
