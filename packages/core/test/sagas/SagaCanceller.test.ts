/** A request to cancel that comes while one attempt's saga hands over to the next one's. */
import { assert, describe, it } from "@effect/vitest"
import { SagaCanceller } from "@fairlead/core/sagas/SagaCanceller"
import { SagaDriver } from "@fairlead/core/sagas/SagaDriver"
import { SagaLauncher } from "@fairlead/core/sagas/SagaLauncher"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { executionId, sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer, Option } from "effect"

const asked = { at: instant, by: "alice", reason: "enough" }
const parts = SagaCanceller.layer.pipe(
  Layer.provideMerge(SagaLauncher.layer),
  Layer.provideMerge(Layer.succeed(SagaDriver, SagaDriver.of({ drive: () => Effect.void })))
)
const requestOf = (n: number) =>
  Effect.map(
    Effect.flatMap(SagaStore, (store) => store.find(sagaId(n))),
    (saga) => Option.getOrThrow(saga)
  )

describe("SagaCanceller", () => {
  it.effect("asks also the saga that takes over while it asks the one before", () =>
    Effect.gen(function* () {
      const store = yield* SagaStore
      const next = createdSaga(2, { executionId: executionId(1) })
      yield* store.insert(createdSaga(1))
      // As if the first saga's last write had come between the look and the request.
      const handingOver = SagaStore.of({
        ...store,
        requestCancel: (id, request) =>
          id === sagaId(1) ? Effect.as(store.insert(next), Option.none()) : store.requestCancel(id, request)
      })
      const record = Effect.flatMap(SagaCanceller, (canceller) => canceller.record(executionId(1), asked))
      yield* Effect.provide(record, Layer.fresh(parts).pipe(Layer.provide(Layer.succeed(SagaStore, handingOver))))
      assert.deepStrictEqual((yield* requestOf(2)).cancelRequest, asked)
    }).pipe(Effect.provide(Storage.layerMemory))
  )

  it.effect("is heard by the next saga when it came before the hand-over: that one is driven, not parked", () =>
    Effect.gen(function* () {
      const store = yield* SagaStore
      const launcher = yield* SagaLauncher
      const { correlationId, ownerId } = createdSaga(1)
      const order = {
        executionId: executionId(1),
        ownerId,
        correlationId,
        definition: { name: "run", version: 1 },
        lane: undefined,
        parked: true
      }
      yield* store.insert(createdSaga(1))
      const before = yield* launcher.launch({ ...order, sagaId: sagaId(2), follows: sagaId(1) })
      assert.deepStrictEqual([before.parked, before.cancelRequest], [true, undefined])
      yield* store.requestCancel(sagaId(1), asked)
      yield* launcher.launch({ ...order, sagaId: sagaId(3), follows: sagaId(1) })
      const after = yield* requestOf(3)
      assert.deepStrictEqual([after.parked, after.cancelRequest], [undefined, asked])
    }).pipe(Effect.provide(parts.pipe(Layer.provideMerge(Storage.layerMemory))))
  )
})
