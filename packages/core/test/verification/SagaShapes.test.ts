import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { ExecutionEnv } from "@fairlead/core/executions/ExecutionEnv"
import { ExecutionJobs } from "@fairlead/core/executions/ExecutionJobs"
import * as ExecutionSaga from "@fairlead/core/executions/ExecutionSaga"
import { OutputCollector } from "@fairlead/core/executions/OutputCollector"
import { Ids } from "@fairlead/core/ids/Ids"
import { InstanceRegistry } from "@fairlead/core/instances/InstanceRegistry"
import { NodeSlots } from "@fairlead/core/instances/NodeSlots"
import { Enqueuer } from "@fairlead/core/queue/Enqueuer"
import { QueueEstimates } from "@fairlead/core/queue/QueueEstimates"
import { QueueStats } from "@fairlead/core/queue/QueueStats"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as Stores from "@fairlead/core/Stores"
import { SagaLauncher } from "@fairlead/core/sagas/SagaLauncher"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { stepsOf } from "@fairlead/core/verification/SagaShapes"
import { Effect, Layer } from "effect"

const services = ExecutionJobs.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Enqueuer.layer, ExecutionEnv.layer, OutputCollector.layer, EventFactory.layer)),
  Layer.provideMerge(QueueEstimates.layer),
  Layer.provideMerge(
    Layer.mergeAll(QueueStats.layer, SagaLauncher.layer, InstanceRegistry.layer({ name: "a", version: "1" }))
  ),
  Layer.provideMerge(Layer.mergeAll(NodeSlots.layer(1), Ids.layerMemory)),
  Layer.provideMerge(Layer.mergeAll(Stores.layerMemory, Secrets.layerMemory, ScriptRuntimes.layer))
)

describe("SagaShapes", () => {
  it.effect("has the steps of the saga of executions, in its version", () =>
    Effect.gen(function* () {
      const { name, steps, version } = yield* ExecutionSaga.make
      assert.deepStrictEqual(
        stepsOf({ sagaName: name, definitionVersion: version }),
        steps.map(({ name, undo }) => ({ name, hasUndo: undo !== undefined }))
      )
      assert.isUndefined(stepsOf({ sagaName: "another", definitionVersion: 1 }))
    }).pipe(Effect.provide(services))
  )
})
