/** Whatever becomes of the driver that turns a cancelled saga back, there is another one after it. */

import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { Ids } from "@fairlead/core/ids/Ids"
import * as Stores from "@fairlead/core/Stores"
import { SagaCanceller } from "@fairlead/core/sagas/SagaCanceller"
import type { SagaDefinition } from "@fairlead/core/sagas/SagaDefinition"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaDefinitions, SagaExecutor } from "@fairlead/core/sagas/SagaExecutor"
import { SagaLauncher } from "@fairlead/core/sagas/SagaLauncher"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { SagaWatch } from "@fairlead/core/sagas/SagaWatch"
import { StorageError } from "@fairlead/core/storage/StorageError"
import * as Faults from "@fairlead/testing/faults/Faults"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime, Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"

const nodeId = "process/a"
const item = { sagaId: sagaId(1), dispatch: 1 }

/** A saga of one step that never ends, whose drivers find its execution as `loads` says, one after the other; then at once. */
const endless = (loads: ReadonlyArray<SagaDefinition["load"]>): SagaDefinition => {
  let loaded = 0
  return {
    name: "run",
    version: 1,
    steps: [
      {
        name: "hang",
        external: false,
        retry: { maxAttempts: 1, baseDelayMillis: 0, maxDelayMillis: 0 },
        run: () => Effect.never
      }
    ],
    load: (saga) => (loads[loaded++] ?? (() => Effect.succeedSome(queuedExecution(1))))(saga),
    deadline: () => undefined,
    cleanup: () => Effect.void,
    finalize: () => Effect.succeed({})
  }
}

/** The first claim comes late, so that the second driver takes the saga before it. */
const stores = Faults.layer(SagaStore, "claim", 1, Faults.delay("1 second")).pipe(
  Layer.provideMerge(Stores.layerMemory)
)

const services = (definition: SagaDefinition) =>
  SagaCanceller.layer.pipe(
    Layer.provide(SagaLauncher.layer),
    Layer.provideMerge(SagaExecutor.layer("host-a")),
    Layer.provide(SagaWatch.layer),
    Layer.provide(Layer.succeed(SagaDefinitions, [definition])),
    Layer.provide(EventFactory.layer.pipe(Layer.provide(Ids.layerMemory))),
    Layer.provideMerge(stores)
  )

const late: SagaDefinition["load"] = () => Effect.delay(Effect.succeedSome(queuedExecution(1)), "2 seconds")
const failing: SagaDefinition["load"] = () =>
  Effect.suspend(() => Effect.fail(new StorageError({ operation: "load", retryable: true, cause: "planned" })))

describe("SagaCanceller.request", () => {
  it.effect("ends a saga whose first driver comes at the same time, also if one of both fails", () =>
    Effect.gen(function* () {
      const [sagas, engine] = [yield* SagaStore, yield* SagaEngine]
      yield* sagas.insert(createdSaga(1, { nodeId }))
      yield* engine.dispatch(item, nodeId)
      const request = { at: yield* DateTime.now, by: "alice", reason: "enough" }
      yield* (yield* SagaCanceller).request(item.sagaId, request)
      yield* TestClock.adjust("1 millis")
      yield* engine.run(
        (yield* SagaExecutor).execute,
        [undefined, nodeId].map((of) => ({ nodeId: of, maxExecutors: 2 }))
      )
      yield* TestClock.adjust("30 seconds")
      const { state } = Option.getOrThrow(yield* sagas.find(item.sagaId))
      assert.strictEqual(state, "cancelled")
    }).pipe(Effect.scoped, Effect.provide(services(endless([late, failing]))))
  )
})
