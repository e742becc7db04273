/** An executor that cannot learn whether its saga is still its own lets go of it, and another one follows. */

import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { Ids } from "@fairlead/core/ids/Ids"
import * as Stores from "@fairlead/core/Stores"
import type { SagaDefinition } from "@fairlead/core/sagas/SagaDefinition"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaDefinitions, SagaExecutor } from "@fairlead/core/sagas/SagaExecutor"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { SagaWatch } from "@fairlead/core/sagas/SagaWatch"
import { StorageError } from "@fairlead/core/storage/StorageError"
import * as Faults from "@fairlead/testing/faults/Faults"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Fiber, Layer, Option } from "effect"
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
  cleanup: () => Effect.void,
  finalize: () => Effect.succeed({})
}

/** The first so many calls to learn of held sagas meet with the fault. */
const services = (calls: number, fault: Faults.Fault<StorageError>) =>
  SagaExecutor.layer("host-a").pipe(
    Layer.provide(SagaWatch.layer),
    Layer.provide(Layer.succeed(SagaDefinitions, [definition])),
    Layer.provide(EventFactory.layer.pipe(Layer.provide(Ids.layerMemory))),
    Layer.provideMerge(Faults.layerEvery(SagaStore, "pulse", (call) => call <= calls, fault)),
    Layer.provideMerge(Stores.layerMemory)
  )

const item = { sagaId: sagaId(1), dispatch: 1 }
const failing = Faults.failBefore(new StorageError({ operation: "pulse", retryable: true, cause: "planned" }))

/** The saga is driven by who holds its item; meanwhile something happens. Gives its row at the end. */
const executed = <E, R>(meanwhile: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    const [sagas, engine, { execute }] = [yield* SagaStore, yield* SagaEngine, yield* SagaExecutor]
    yield* sagas.insert(createdSaga(1))
    yield* engine.dispatch(item)
    yield* engine.run(execute, [{ nodeId: undefined, maxExecutors: 1 }])
    yield* meanwhile
    yield* TestClock.adjust("2 minutes")
    const { fence, state } = Option.getOrThrow(yield* sagas.find(item.sagaId))
    return { fence, state }
  }).pipe(Effect.scoped)

describe("SagaWatch.hold", () => {
  it.effect("is not given up while the store does not answer for less than 6 s", () =>
    Effect.gen(function* () {
      const row = yield* executed(Effect.void)
      assert.deepStrictEqual(row, { state: "completed", fence: 1 })
    }).pipe(Effect.provide(services(5, failing)))
  )

  it.effect("is given up after 6 s without an answer, and the saga is delivered again", () =>
    Effect.gen(function* () {
      const row = yield* executed(Effect.void)
      assert.deepStrictEqual(row, { state: "completed", fence: 2 })
    }).pipe(Effect.provide(services(6, failing)))
  )

  it.effect("is not given up for an answer from before it", () =>
    Effect.gen(function* () {
      const [sagas, { execute }] = [yield* SagaStore, yield* SagaExecutor]
      yield* sagas.insert(createdSaga(1))
      yield* Effect.forkScoped(execute(item))
      // Asked for at 1 s, under fence 1; the answer comes at 3 s, when the second driver holds the saga under fence 2.
      yield* TestClock.adjust("2 seconds")
      const second = yield* Effect.forkScoped(execute(item))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(second)
      const row = Option.getOrThrow(yield* sagas.find(item.sagaId))
      assert.deepInclude(row, { state: "completed", fence: 2 })
    }).pipe(Effect.scoped, Effect.provide(services(1, Faults.answerLate("2 seconds"))))
  )

  it.effect("goes back to who holds the item, when it was lost to a driver that came late and is gone", () =>
    Effect.gen(function* () {
      const late = Effect.flatMap(SagaStore, (sagas) => sagas.claim(item.sagaId, item.dispatch, "late"))
      const row = yield* executed(Effect.andThen(TestClock.adjust("1 second"), late))
      assert.deepStrictEqual(row, { state: "completed", fence: 3 })
    }).pipe(Effect.provide(services(0, failing)))
  )
})
