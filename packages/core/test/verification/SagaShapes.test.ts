import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { ExecutionEnv } from "@fairlead/core/executions/ExecutionEnv"
import { ExecutionJobs } from "@fairlead/core/executions/ExecutionJobs"
import * as ExecutionSaga from "@fairlead/core/executions/ExecutionSaga"
import { OutputCollector } from "@fairlead/core/executions/OutputCollector"
import { HostRegistry } from "@fairlead/core/hosts/HostRegistry"
import { Ids } from "@fairlead/core/ids/Ids"
import { PlaceSlots } from "@fairlead/core/queue/PlaceSlots"
import { QueueEntrance } from "@fairlead/core/queue/QueueEntrance"
import { QueueForecast } from "@fairlead/core/queue/QueueForecast"
import { QueueGauge } from "@fairlead/core/queue/QueueGauge"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { SagaDefinitions } from "@fairlead/core/sagas/SagaDriver"
import { SagaLauncher } from "@fairlead/core/sagas/SagaLauncher"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { Storage } from "@fairlead/core/storage/Storage"
import { stepsOf } from "@fairlead/core/verification/SagaShapes"
import { Effect, Layer } from "effect"

const definitions = ExecutionSaga.layer.pipe(
  Layer.provide(ExecutionJobs.layer),
  Layer.provide(Layer.mergeAll(QueueEntrance.layer, ExecutionEnv.layer, OutputCollector.layer, EventFactory.layer)),
  Layer.provide(QueueForecast.layer),
  Layer.provide(Layer.mergeAll(QueueGauge.layer, SagaLauncher.layer, HostRegistry.layer({ name: "a", version: "1" }))),
  Layer.provide(Layer.mergeAll(PlaceSlots.layer(1), Ids.layerMemory)),
  Layer.provide(Layer.mergeAll(Storage.layerMemory, Secrets.layerMemory, ScriptRuntimes.layer))
)

describe("SagaShapes", () => {
  it.effect("has the steps of every saga that is driven, in its version", () =>
    Effect.gen(function* () {
      const driven = yield* SagaDefinitions
      assert.isNotEmpty(driven)
      for (const { name, steps, version } of driven)
        assert.deepStrictEqual(
          stepsOf({ sagaName: name, definitionVersion: version }),
          steps.map(({ name, undo }) => ({ name, hasUndo: undo !== undefined }))
        )
      assert.isUndefined(stepsOf({ sagaName: "another", definitionVersion: 1 }))
    }).pipe(Effect.provide(definitions))
  )
})
