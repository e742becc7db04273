/** Sagas that hosts take and cannot carry forward: reported, never dropped, and carried on once a host can. */

import { assert, describe, it } from "@effect/vitest"
import type { Principal } from "@fairlead/core/auth/Principal"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { Ids } from "@fairlead/core/ids/Ids"
import { InstanceRegistry } from "@fairlead/core/instances/InstanceRegistry"
import { NodeSlots } from "@fairlead/core/instances/NodeSlots"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as Stores from "@fairlead/core/Stores"
import { once, type SagaDefinition } from "@fairlead/core/sagas/SagaDefinition"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaDefinitions, SagaExecutor } from "@fairlead/core/sagas/SagaExecutor"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { SagaWatch } from "@fairlead/core/sagas/SagaWatch"
import { StuckSagas } from "@fairlead/core/sagas/StuckSagas"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { admin, bob } from "../executions/support/MemoryHost.ts"

const newer: SagaDefinition = {
  name: "newer",
  version: 2,
  steps: [{ name: "act", external: false, retry: once, run: () => Effect.succeed({}) }],
  load: () => Effect.succeedSome(queuedExecution(1)),
  deadline: () => undefined,
  cleanup: () => Effect.void,
  finalize: () => Effect.succeed({})
}

/** Drives sagas with the definitions it knows until the scope closes; gives its report. */
const hostKnowing = Effect.fnUntraced(function* (name: string, definitions: ReadonlyArray<SagaDefinition>) {
  const services = yield* Layer.build(
    Layer.fresh(
      Layer.mergeAll(SagaExecutor.layer(name), StuckSagas.layer).pipe(
        Layer.provide(SagaWatch.layer),
        Layer.provide(Layer.succeed(SagaDefinitions, definitions)),
        Layer.provide(InstanceRegistry.layer({ name, version: "" })),
        Layer.provide(NodeSlots.layer(1)),
        Layer.provide(ScriptRuntimes.layer),
        Layer.provide(EventFactory.layer),
        Layer.provide(Ids.layerMemory)
      )
    )
  )
  yield* (yield* SagaEngine).run(Context.get(services, SagaExecutor).execute, [{ nodeId: undefined, maxExecutors: 1 }])
  return (caller: Principal) => Context.get(services, StuckSagas).report(caller, { olderThanSeconds: 30, limit: 10 })
})
const pass = (seconds: number) =>
  Effect.repeat(Effect.andThen(TestClock.adjust("1 second"), Effect.yieldNow), { times: seconds })
const saga = Effect.map(
  Effect.flatMap(SagaStore, (store) => store.find(sagaId(1))),
  Option.getOrThrow
)

describe("A saga of an unknown definition", () => {
  it.effect("comes round until a host knows it, and is reported meanwhile to whom it belongs", () =>
    Effect.gen(function* () {
      const report = yield* hostKnowing("old", [])
      const createdAt = yield* DateTime.now
      const [store, engine] = [yield* SagaStore, yield* SagaEngine]
      yield* store.insert(createdSaga(1, { sagaName: "newer", definitionVersion: 2, createdAt }))
      yield* engine.dispatch({ sagaId: sagaId(1), dispatch: 1 })
      yield* pass(20)
      assert.deepStrictEqual((yield* report(admin)).stuck, [])
      yield* pass(60)
      const { next, stuck } = yield* report(admin)
      assert.deepStrictEqual(
        stuck.map(({ reason, saga: { sagaId: id } }) => [reason, id]),
        [["no_definition", sagaId(1)]]
      )
      assert.isAtLeast(stuck[0]?.claims ?? 0, 5)
      assert.isUndefined(next)
      assert.deepStrictEqual((yield* report(bob)).stuck, [])
      assert.deepInclude(yield* saga, { state: "running", logLength: 0 })
      yield* hostKnowing("new", [newer])
      yield* Effect.repeat(pass(10), { until: () => Effect.map(saga, ({ state }) => state === "completed"), times: 20 })
      assert.deepInclude(yield* saga, { state: "completed", executor: "new" })
      assert.deepStrictEqual((yield* report(admin)).stuck, [])
    }).pipe(Effect.scoped, Effect.provide(Layer.fresh(Stores.layerMemory)))
  )
})

describe("A saga whose driver fails each time", () => {
  it.effect("is reported as failing, without a write for each failure, until it makes progress", () =>
    Effect.gen(function* () {
      let broken = true
      const error = new StorageError({ operation: "test", retryable: true, cause: "away" })
      const load = () => (broken ? Effect.fail(error) : newer.load(createdSaga(1)))
      const report = yield* hostKnowing("new", [{ ...newer, load }])
      const createdAt = yield* DateTime.now
      const [store, engine] = [yield* SagaStore, yield* SagaEngine]
      yield* store.insert(createdSaga(1, { sagaName: "newer", definitionVersion: 2, createdAt }))
      yield* engine.dispatch({ sagaId: sagaId(1), dispatch: 1 })
      yield* pass(40)
      const { stuck } = yield* report(admin)
      assert.deepStrictEqual(
        stuck.map(({ reason }) => reason),
        ["executor_failing"]
      )
      assert.deepInclude(yield* saga, { logLength: 0, dispatch: 1 })
      broken = false
      yield* Effect.repeat(pass(1), { until: () => Effect.map(saga, ({ state }) => state === "completed"), times: 20 })
      assert.deepInclude(yield* saga, { state: "completed" })
      assert.deepStrictEqual((yield* report(admin)).stuck, [])
    }).pipe(Effect.scoped, Effect.provide(Layer.fresh(Stores.layerMemory)))
  )
})
