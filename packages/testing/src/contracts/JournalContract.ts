/** What every journal promises: a saga moves with its log, its execution and its events at once, and only under its fence. */
import { assert, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { streamOf } from "@fairlead/core/ids/Subject"
import type { Stores } from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { Saga } from "@fairlead/core/sagas/Saga"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Effect, Equal, Exit, type Layer } from "effect"
import { cancelledEvent, runningEvent } from "../fixtures/EventFixtures.ts"
import { awkwardText, completedExecution, instant, queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"
import { at, executed, intent, look, started, write } from "./internal/journaled.ts"

const request = { at: instant, by: "alice", reason: "enough" }
export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`Journal (${name})`, (it) => {
    it.effect("append moves the saga and its execution, logs the entries and publishes the events", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const saga = yield* executed(1)
        const first = write(saga, [started, intent("start")], { events: [runningEvent(1), cancelledEvent(2)] })
        assert.isTrue(yield* journal.append(first))
        const execution = completedExecution(1)
        const second = write(new Saga({ ...first.saga, currentStep: "start" }), [intent("observe")], {
          subject: execution
        })
        assert.isTrue(yield* journal.append(second))
        const seen = yield* look(1)
        assert.isTrue(Equal.equals(seen.saga, second.saga))
        assert.isTrue(Equal.equals(seen.execution, execution))
        assert.deepStrictEqual(seen.log, [
          { seq: 1, fence: 1, executor: "a", at, entry: started },
          { seq: 2, fence: 1, executor: "a", at, entry: intent("start") },
          { seq: 3, fence: 1, executor: "a", at, entry: intent("observe") }
        ])
        assert.deepStrictEqual(seen.events, [
          { ...runningEvent(1), stream: streamOf(saga.subject), streamVersion: 1 },
          { ...cancelledEvent(2), stream: streamOf(saga.subject), streamVersion: 2 }
        ])
        const { executions } = yield* (yield* ExecutionStore).list({ statuses: ["completed"], limit: 10, offset: 0 })
        assert.deepStrictEqual(
          executions.map((found) => found.executionId),
          [executionId(1)]
        )
      })
    )

    it.effect("append leaves name and labels as somebody has set them meanwhile", () =>
      Effect.gen(function* () {
        const [journal, store] = [yield* Journal, yield* ExecutionStore]
        const saga = yield* executed(71)
        yield* store.relabel(executionId(71), { name: "mine", labels: { team: "billing" } })
        const move = write(saga, [started, intent("start")], { subject: completedExecution(71, { name: "old" }) })
        assert.isTrue(yield* journal.append(move))
        const named = completedExecution(71, { name: "mine", labels: { team: "billing" } })
        assert.isTrue(Equal.equals((yield* look(71)).execution, named))
        yield* store.relabel(executionId(71), { name: null, labels: { team: null } })
        const again = write(move.saga, [intent("observe")], { subject: named })
        assert.isTrue(yield* journal.append(again))
        assert.isTrue(Equal.equals((yield* look(71)).execution, completedExecution(71)))
      })
    )

    it.effect("append under an older or a newer fence answers false and writes nothing at all", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const saga = yield* executed(11)
        yield* (yield* SagaStore).claim(sagaId(11), 1, "b")
        const before = yield* look(11)
        for (const fence of [1, 3]) {
          const fenced = write(new Saga({ ...saga, fence, state: "completed" }), [started], {
            subject: completedExecution(11),
            events: [runningEvent(11)]
          })
          assert.isFalse(yield* journal.append(fenced))
        }
        assert.isFalse(yield* journal.append(write(createdSaga(19), [started])))
        assert.isTrue(Equal.equals((yield* look(11)).saga, before.saga))
        assert.isTrue(Equal.equals((yield* look(11)).execution, before.execution))
        assert.deepStrictEqual([(yield* look(11)).log, (yield* look(11)).events], [[], []])
      })
    )

    it.effect("append answers false to an executor from which the saga was taken away", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const saga = yield* executed(15)
        yield* (yield* SagaStore).redispatch(sagaId(15), { suspended: true, fenceOff: true })
        const before = yield* look(15)
        assert.isFalse(yield* journal.append(write(saga, [started], { events: [runningEvent(15)] })))
        const after = yield* look(15)
        assert.isTrue(Equal.equals(after.saga, before.saga))
        assert.deepStrictEqual([after.log, after.events], [[], []])
        assert.isTrue(yield* journal.append(write(new Saga({ ...saga, fence: saga.fence + 1 }), [started])))
      })
    )

    it.effect("append keeps the dispatch number and the cancel request that the row has", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const saga = yield* executed(21)
        yield* (yield* SagaStore).requestCancel(sagaId(21), request)
        assert.isTrue(yield* journal.append(write(new Saga({ ...saga, dispatch: 7 }), [started])))
        const { saga: moved } = yield* look(21)
        assert.deepInclude(moved, { dispatch: 1, cancelRequest: request, logLength: 1 })
        const invented = new Saga({ ...moved, cancelRequest: { ...request, by: "bob" } })
        assert.isTrue(yield* journal.append(write(invented, [intent("start")])))
        assert.deepStrictEqual((yield* look(21)).saga.cancelRequest, request)
        const other = yield* executed(22)
        assert.isTrue(yield* journal.append(write(new Saga({ ...other, cancelRequest: request }), [started])))
        assert.isUndefined((yield* look(22)).saga.cancelRequest)
      })
    )

    it.effect("append keeps every text as it is: NUL, half surrogate pairs, escapes", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const sagas = yield* SagaStore
        const saga = yield* executed(61)
        const cancel = { ...request, reason: awkwardText }
        yield* sagas.requestCancel(sagaId(61), cancel)
        const entry: SagaEntry = { _tag: "StepCompleted", step: "observe", output: { [awkwardText]: awkwardText } }
        const event = cancelledEvent(61, awkwardText)
        const moved = new Saga({ ...saga, errorMessage: awkwardText })
        const execution = queuedExecution(61, { script: awkwardText })
        assert.isTrue(yield* journal.append(write(moved, [entry], { subject: execution, events: [event] })))
        const seen = yield* look(61)
        assert.deepInclude(seen.saga, { errorMessage: awkwardText, cancelRequest: cancel })
        assert.deepStrictEqual((yield* sagas.pulse([sagaId(61)]))[0]?.cancelRequest, cancel)
        assert.deepStrictEqual(seen.log[0]?.entry, entry)
        assert.deepStrictEqual(seen.events[0]?.event, event.event)
        assert.strictEqual(seen.execution.script, awkwardText)
        yield* sagas.claim(sagaId(61), 1, "b")
        assert.strictEqual((yield* look(61)).saga.errorMessage, awkwardText)
      })
    )

    it.effect("append goes down with the caller's transaction", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const { transaction } = yield* Storage
        const saga = yield* executed(31)
        const appended = journal.append(write(saga, [started], { events: [runningEvent(31)] }))
        yield* Effect.flip(transaction(Effect.andThen(appended, Effect.fail("stop"))))
        const seen = yield* look(31)
        assert.isTrue(Equal.equals(seen.saga, saga))
        assert.deepStrictEqual([seen.log, seen.events], [[], []])
      })
    )

    it.effect("append dies of an event id that is stored already, and writes nothing", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const saga = yield* executed(41)
        yield* (yield* EventLog).append("elsewhere", [runningEvent(41)])
        const exit = yield* Effect.exit(journal.append(write(saga, [started], { events: [runningEvent(41)] })))
        assert.isTrue(Exit.hasDies(exit))
        assert.isTrue(Equal.equals((yield* look(41)).saga, saga))
        assert.deepStrictEqual((yield* look(41)).log, [])
      })
    )

    it.effect("once a rival has claimed, nothing of the older executor arrives any more", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const sagas = yield* SagaStore
        const saga = yield* executed(51)
        let held = saga
        const older = Effect.gen(function* () {
          const next = write(held, [intent("loop")])
          const written = yield* journal.append(next)
          held = next.saga
          return !written
        }).pipe(Effect.repeat({ until: (fenced) => fenced, times: 200 }))
        const rival = Effect.gen(function* () {
          for (let i = 0; i < 20; i++) yield* Effect.yieldNow
          yield* sagas.claim(sagaId(51), 1, "b")
          return yield* look(51)
        })
        const [, seen] = yield* Effect.all([older, rival], { concurrency: 2 })
        const now = yield* look(51)
        assert.strictEqual(now.saga.fence, 2)
        assert.strictEqual(now.log.length, seen.log.length)
        assert.strictEqual(now.saga.logLength, now.log.length)
      })
    )

    it.effect("appends of many sagas at once are each under their own fence", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const numbers = Array.from({ length: 12 }, (_, i) => 231 + i)
        const sagas = yield* Effect.forEach(numbers, (n) => executed(n))
        for (const n of numbers.filter((each) => each % 3 === 0)) yield* (yield* SagaStore).claim(sagaId(n), 1, "b")
        const written = yield* Effect.forEach(
          sagas,
          (saga, i) => journal.append(write(saga, [started, intent("start")], { events: [runningEvent(231 + i)] })),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          written,
          numbers.map((n) => n % 3 !== 0)
        )
        for (const n of numbers) {
          const { events, log } = yield* look(n)
          assert.deepStrictEqual([log.length, events.length], n % 3 === 0 ? [0, 0] : [2, 1])
        }
      })
    )
  })
