/** The three suites that every saga runs: fails at step n and unwinds; each step repeated; each undo repeated. */

import { assert, describe, it } from "@effect/vitest"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { EventLog } from "@fairlead/core/events/EventLog"
import { Ids } from "@fairlead/core/ids/Ids"
import * as Stores from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { type SagaDefinition, type SagaStep, type StepEffect, StepError } from "@fairlead/core/sagas/SagaDefinition"
import { SagaDefinitions, SagaExecutor } from "@fairlead/core/sagas/SagaExecutor"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { SagaWatch } from "@fairlead/core/sagas/SagaWatch"
import * as Faults from "@fairlead/testing/faults/Faults"
import { queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { sagaId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime, Deferred, Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"

const names = ["validate", "allocate", "start", "store"]

/** How one step behaves on its n-th run; the default succeeds. */
type Behaviour = (run: number) => StepEffect

interface Script {
  readonly run?: Readonly<Record<string, Behaviour>>
  readonly undo?: Readonly<Record<string, Behaviour>>
  readonly external?: boolean
}

/** A saga of four steps that writes down what it does. */
const scripted = (script: Script) => {
  const done: Array<string> = []
  const count = (what: string) => done.filter((entry) => entry === what).length
  const act = (what: string, behaviour: Behaviour = () => Effect.succeed({})): StepEffect =>
    Effect.suspend(() => {
      done.push(what)
      return behaviour(count(what))
    })
  const steps = names.map(
    (name): SagaStep => ({
      name,
      external: script.external ?? true,
      retry: { maxAttempts: 3, baseDelayMillis: 100, maxDelayMillis: 1000 },
      run: () => act(name, script.run?.[name]),
      undo: () => act(`undo ${name}`, script.undo?.[name])
    })
  )
  const definition: SagaDefinition = {
    name: "scripted",
    version: 1,
    steps,
    load: () => Effect.succeedSome(queuedExecution(1)),
    deadline: () => undefined,
    cleanup: () => Effect.sync(() => void done.push("after end")),
    finalize: () => Effect.succeed({})
  }
  return { done, definition }
}

const services = (definition: SagaDefinition, stores = Stores.layerMemory) =>
  SagaExecutor.layer("host-a").pipe(
    Layer.provideMerge(SagaWatch.layer),
    Layer.provide(Layer.succeed(SagaDefinitions, [definition])),
    Layer.provideMerge(EventFactory.layer.pipe(Layer.provide(Ids.layerMemory))),
    Layer.provideMerge(stores)
  )

const prepare = Effect.gen(function* () {
  yield* (yield* SagaStore).insert(createdSaga(1, { sagaName: "scripted" }))
})
const item = { sagaId: sagaId(1), dispatch: 1 }
const execute = Effect.flatMap(SagaExecutor, (executor) => executor.execute(item))
const saga = Effect.map(
  Effect.flatMap(SagaStore, (store) => store.find(item.sagaId)),
  Option.getOrThrow
)
const failing = (retryable: boolean): StepEffect =>
  Effect.fail(new StepError({ failureType: "Planned", detail: "planned", retryable }))

describe("SagaExecutor: fails at step n and unwinds", () => {
  it.effect.each([0, 1, 2, 3])("step %i", (n) =>
    Effect.gen(function* () {
      const failed = names[n] ?? ""
      const { definition, done } = scripted({ run: { [failed]: () => failing(false) } })
      yield* Effect.andThen(prepare, execute).pipe(
        Effect.andThen(saga),
        Effect.tap((row) =>
          Effect.sync(() => {
            assert.strictEqual(row.state, "failed")
            assert.strictEqual(row.errorMessage, `${failed}: planned`)
            assert.deepStrictEqual(row.completedSteps, names.slice(0, n))
            assert.deepStrictEqual(row.compensatedSteps, names.slice(0, n + 1).reverse())
          })
        ),
        Effect.provide(services(definition))
      )
      const ran = names.slice(0, n + 1)
      assert.deepStrictEqual(done, [...ran, ...ran.toReversed().map((name) => `undo ${name}`), "after end"])
    })
  )
})

/** Runs the saga with an executor that is interrupted when `hang` runs for the first time, then with another executor. */
const crashAt = (script: Script, reached: Deferred.Deferred<void>) => {
  const { definition, done } = scripted(script)
  const work = Effect.gen(function* () {
    yield* prepare
    const first = yield* Effect.forkChild(execute)
    yield* Deferred.await(reached)
    yield* Fiber.interrupt(first)
    yield* execute
    return yield* saga
  })
  return Effect.map(Effect.provide(work, services(definition)), (row) => ({ row, done }))
}
const hangOnce =
  (reached: Deferred.Deferred<void>): Behaviour =>
  (run) =>
    run === 1 ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.succeed({})

describe("SagaExecutor: each step repeated", () => {
  it.effect.each(names)("a driver that dies in %s is followed by one that repeats only this step", (name) =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { done, row } = yield* crashAt({ run: { [name]: hangOnce(reached) } }, reached)
      assert.strictEqual(row.state, "completed")
      const expected = names.flatMap((step) => (step === name ? [step, step] : [step]))
      assert.deepStrictEqual(done, [...expected, "after end"])
      assert.strictEqual(row.fence, 2)
    })
  )

  it.effect("outcomes of pure steps that were not committed are made again", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { done, row } = yield* crashAt({ external: false, run: { store: hangOnce(reached) } }, reached)
      assert.strictEqual(row.state, "completed")
      assert.deepStrictEqual(done, [...names, ...names, "after end"])
    })
  )
})

describe("SagaExecutor: each undo repeated", () => {
  it.effect.each(names)("a driver that dies while it undoes %s is followed by one that repeats only this", (name) =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const script = { run: { store: () => failing(false) }, undo: { [name]: hangOnce(reached) } }
      const { done, row } = yield* crashAt(script, reached)
      assert.strictEqual(row.state, "failed")
      const undos = names.toReversed().flatMap((step) => (step === name ? [step, step] : [step]))
      assert.deepStrictEqual(done, [...names, ...undos.map((step) => `undo ${step}`), "after end"])
    })
  )

  it.effect("gives an undo up after its attempts, goes on with the others, and ends failed", () =>
    Effect.gen(function* () {
      const { definition, done } = scripted({
        run: { store: () => failing(false) },
        undo: { start: () => failing(true) }
      })
      const work = Effect.gen(function* () {
        yield* prepare
        const executing = yield* Effect.forkChild(execute)
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(executing)
        return yield* saga
      })
      const row = yield* Effect.provide(work, services(definition))
      assert.strictEqual(row.state, "failed")
      assert.deepStrictEqual(row.compensatedSteps, ["store", "allocate", "validate"])
      assert.strictEqual(done.filter((what) => what === "undo start").length, 8)
    })
  )
})

describe("SagaExecutor", () => {
  it.effect("retries a step by its policy, with doubling pauses", () =>
    Effect.gen(function* () {
      const { definition, done } = scripted({
        run: { start: (run) => (run < 3 ? failing(true) : Effect.succeed({})) }
      })
      const work = Effect.gen(function* () {
        yield* prepare
        const executing = yield* Effect.forkChild(execute)
        yield* TestClock.adjust("100 millis")
        assert.strictEqual(done.filter((what) => what === "start").length, 2)
        yield* TestClock.adjust("199 millis")
        assert.strictEqual(done.filter((what) => what === "start").length, 2)
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(executing)
        return yield* saga
      })
      const row = yield* Effect.provide(work, services(definition))
      assert.deepStrictEqual([row.state, row.retryCount], ["completed", 2])
    })
  )

  it.effect("writes nothing twice when a cancellation comes while a write is on its way", () =>
    Effect.gen(function* () {
      const { definition } = scripted({ external: false })
      const [first, ...others] = definition.steps
      if (first === undefined) return assert.fail("no steps")
      // Commits in the middle of the step, as a step does before it may take long.
      const flushing: SagaStep = { ...first, run: (context) => Effect.as(context.flush, {}) }
      const stores = Faults.layer(Journal, "append", 1, Faults.answerLate("5 seconds")).pipe(
        Layer.provideMerge(Stores.layerMemory)
      )
      const layer = services({ ...definition, steps: [flushing, ...others] }, stores)
      yield* Effect.gen(function* () {
        yield* prepare
        const executing = yield* Effect.forkChild(execute)
        yield* TestClock.adjust("1 second")
        yield* (yield* SagaStore).requestCancel(item.sagaId, { at: yield* DateTime.now, by: "alice", reason: "enough" })
        yield* TestClock.adjust("10 seconds")
        // Whether the write was done is in the log alone, so this driver gives up, and the next one reads it.
        assert.deepInclude(yield* Effect.flip(Fiber.join(executing)), { _tag: "StorageError", retryable: true })
        yield* execute
        const log = yield* (yield* SagaStore).log(item.sagaId)
        assert.strictEqual((yield* saga).state, "cancelled")
        assert.deepStrictEqual(
          log.map(({ seq }) => seq),
          log.map((_, i) => i + 1)
        )
        assert.strictEqual(log.filter(({ entry }) => entry._tag === "SagaStarted").length, 1)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("turns back at once when it is cancelled in the middle of a step, and says who asked", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { definition, done } = scripted({
        run: { start: () => Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) }
      })
      const work = Effect.gen(function* () {
        yield* prepare
        const executing = yield* Effect.forkChild(execute)
        yield* Deferred.await(reached)
        const request = { at: yield* DateTime.now, by: "alice", reason: "enough" }
        yield* (yield* SagaStore).requestCancel(item.sagaId, request)
        yield* Fiber.join(executing)
        const events = yield* (yield* EventLog).readStream(`execution/${queuedExecution(1).executionId}`, {
          afterVersion: 0,
          limit: 100
        })
        return { row: yield* saga, last: events.at(-1)?.event }
      })
      const { last, row } = yield* Effect.provide(work, services(definition))
      assert.strictEqual(row.state, "cancelled")
      assert.deepInclude(last, { _tag: "SagaCancelled", cancelledBy: "alice", reason: "enough" })
      assert.deepStrictEqual(done.slice(-4), ["undo start", "undo allocate", "undo validate", "after end"])
    })
  )

  it.effect("stops without a trace when another driver takes the saga", () =>
    Effect.gen(function* () {
      const reached = yield* Deferred.make<void>()
      const { definition, done } = scripted({
        run: { start: hangOnce(reached) }
      })
      const work = Effect.gen(function* () {
        yield* prepare
        const store = yield* SagaStore
        const first = yield* Effect.forkChild(execute)
        yield* Deferred.await(reached)
        yield* store.claim(item.sagaId, 1, "host-b")
        const before = yield* store.log(item.sagaId)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* Effect.flip(Fiber.join(first)))._tag, "SagaFenced")
        assert.deepStrictEqual(yield* store.log(item.sagaId), before)
      })
      yield* Effect.provide(work, services(definition))
      assert.notInclude(done, "store")
    })
  )

  it.effect("turns a defect in a step into a failure of the saga", () =>
    Effect.gen(function* () {
      const { definition } = scripted({ run: { start: () => Effect.die("bug") } })
      const row = yield* Effect.andThen(prepare, execute).pipe(
        Effect.andThen(saga),
        Effect.provide(services(definition))
      )
      assert.deepStrictEqual([row.state, row.compensatedSteps], ["failed", ["start", "allocate", "validate"]])
    })
  )

  it.effect("leaves a saga alone whose definition it does not know", () =>
    Effect.gen(function* () {
      const { definition, done } = scripted({})
      const row = yield* Effect.andThen(prepare, execute).pipe(
        Effect.andThen(saga),
        Effect.provide(services({ ...definition, version: 2 }))
      )
      assert.deepStrictEqual([row.state, done], ["running", []])
    })
  )
})
