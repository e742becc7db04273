/** A driver that cannot learn whether its saga is still its own lets go of it, and another one follows. */
import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { Ids } from "@fairlead/core/ids/Ids"
import type { SagaDefinition } from "@fairlead/core/sagas/SagaDefinition"
import { SagaDefinitions, SagaDriver } from "@fairlead/core/sagas/SagaDriver"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { SagaWatch } from "@fairlead/core/sagas/SagaWatch"
import { Storage } from "@fairlead/core/storage/Storage"
import { StorageError } from "@fairlead/core/storage/StorageError"
import * as Faults from "@fairlead/testing/faults/Faults"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"

/** A saga of one step that takes 20 s. */
const definition: SagaDefinition = {
  name: "run",
  version: 1,
  steps: [
    {
      name: "sleep",
      external: false,
      retry: { maxAttempts: 1, baseDelayMillis: 0, maxDelayMillis: 0 },
      run: () => Effect.as(Effect.sleep("20 seconds"), {})
    }
  ],
  load: () => Effect.succeedSome(queuedExecution(1)),
  deadline: () => undefined,
  afterEnd: () => Effect.void,
  settle: () => Effect.succeed({})
}

/** The first so many calls to learn of held sagas fail. */
const services = (failures: number) =>
  SagaDriver.layer("host-a").pipe(
    Layer.provide(SagaWatch.layer),
    Layer.provide(Layer.succeed(SagaDefinitions, [definition])),
    Layer.provide(EventFactory.layer.pipe(Layer.provide(Ids.layerMemory))),
    Layer.provideMerge(
      Faults.layerEvery(
        SagaStore,
        "pulse",
        (call) => call <= failures,
        Faults.failBefore(new StorageError({ operation: "SagaStore.pulse", retryable: true, cause: "planned" }))
      )
    ),
    Layer.provideMerge(Storage.layerMemory)
  )

/** The saga's row at the end. */
const afterFailures = (failures: number) =>
  Effect.gen(function* () {
    const [sagas, engine, { drive }] = [yield* SagaStore, yield* SagaEngine, yield* SagaDriver]
    yield* sagas.insert(createdSaga(1))
    yield* engine.dispatch({ sagaId: sagaId(1), dispatch: 1 })
    yield* engine.run(drive, [{ lane: undefined, maxDrivers: 1 }])
    yield* TestClock.adjust("1 minute")
    return Option.getOrThrow(yield* sagas.find(sagaId(1)))
  }).pipe(Effect.scoped, Effect.provide(services(failures)))

describe("SagaWatch.hold", () => {
  it.effect("is not given up while the store does not answer for less than 6 s", () =>
    Effect.gen(function* () {
      const { fence, state } = yield* afterFailures(5)
      assert.deepStrictEqual([state, fence], ["completed", 1])
    })
  )

  it.effect("is given up after 6 s without an answer, and the saga is delivered again", () =>
    Effect.gen(function* () {
      const { fence, state } = yield* afterFailures(6)
      assert.deepStrictEqual([state, fence], ["completed", 2])
    })
  )
})
