/**
 * The whole core in one layer: every use case over whatever stores, runtimes and keys the host provides. A host that wants
 * less composes the services' own layers.
 */
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Digest } from "effect/crypto"
import { WakeupWaiters } from "./bus/WakeupWaiters.ts"
import { EventFactory } from "./events/EventFactory.ts"
import { ExecutionAdmission } from "./executions/ExecutionAdmission.ts"
import { ExecutionEnv } from "./executions/ExecutionEnv.ts"
import { ExecutionFeed } from "./executions/ExecutionFeed.ts"
import { ExecutionJobs } from "./executions/ExecutionJobs.ts"
import * as ExecutionSaga from "./executions/ExecutionSaga.ts"
import { Executions } from "./executions/Executions.ts"
import * as JobReaper from "./executions/JobReaper.ts"
import { OutputCollector } from "./executions/OutputCollector.ts"
import { QueueGauge } from "./executions/QueueGauge.ts"
import { RunSlots } from "./executions/RunSlots.ts"
import { Ids } from "./ids/Ids.ts"
import { SagaCanceller } from "./sagas/SagaCanceller.ts"
import { SagaDriver } from "./sagas/SagaDriver.ts"
import { SagaEngine } from "./sagas/SagaEngine.ts"
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
  const basics = Layer.mergeAll(
    WakeupWaiters.layer,
    EventFactory.layer.pipe(Layer.provideMerge(Ids.layer), Layer.provide(SecureRandom.layerWebCrypto)),
    Digest.layerWebCrypto,
    RunSlots.layer(maxRunning),
    QueueGauge.layer,
    ExecutionEnv.layer,
    OutputCollector.layer
  )
  const driving = SagaCanceller.layer.pipe(
    Layer.provideMerge(SagaDriver.layer(hostName)),
    Layer.provideMerge(SagaWatch.layer),
    Layer.provideMerge(ExecutionSaga.layer),
    Layer.provideMerge(ExecutionJobs.layer)
  )
  const useCases = ExecutionFeed.layer.pipe(
    Layer.provideMerge(Executions.layer),
    Layer.provideMerge(Sagas.layer),
    Layer.provide(ExecutionAdmission.layer)
  )
  return Layer.mergeAll(useCases, layerDrivers(maxDrivers), JobReaper.layer).pipe(
    Layer.provide(driving),
    Layer.provideMerge(basics)
  )
}
