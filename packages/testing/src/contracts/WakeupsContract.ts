/** What every carrier of wake-ups promises: a hint comes after the commit it tells of, and not at all without one. */
import { assert, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import type { Stores } from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { Saga } from "@fairlead/core/sagas/Saga"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Wakeups, type WakeupTopic } from "@fairlead/core/wakeups/Wakeups"
import { Deferred, Effect, Fiber, type Layer, Option, Stream } from "effect"
import { runningEvent } from "../fixtures/EventFixtures.ts"
import { instant, queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId } from "../fixtures/Uuid.ts"
import { eventually, liveSuite } from "./internal/eventually.ts"

/** Topics heard from now on, in order. Returns once hints arrive for sure. */
export const listen = Effect.gen(function* () {
  const wakeups = yield* Wakeups
  const heard: Array<WakeupTopic> = []
  yield* Effect.forkScoped(
    Stream.runForEach(wakeups.all, (topic) =>
      Effect.sync(() => {
        if (!topic.startsWith("probe/")) heard.push(topic)
        else ready = true
      })
    )
  )
  let ready = false
  yield* eventually(
    Effect.andThen(
      wakeups.send("probe/x"),
      Effect.sync(() => ready)
    ),
    (arrived) => arrived
  )
  return heard
})

/** The topics heard up to this moment: a last hint of our own tells when they are all there. */
export const heardUntil = Effect.fnUntraced(function* (heard: ReadonlyArray<WakeupTopic>, mark: WakeupTopic) {
  yield* (yield* Wakeups).send(mark)
  yield* eventually(
    Effect.sync(() => heard.includes(mark)),
    (arrived) => arrived
  )
  return heard.slice(0, heard.indexOf(mark))
})

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`Wakeups (${name})`, (it) => {
    it.effect("send outside of a transaction is heard once, in order", () =>
      Effect.gen(function* () {
        const { send } = yield* Wakeups
        const heard = yield* listen
        for (const topic of ["a/1", "a/2", "a/1"] as const) yield* send(topic)
        assert.deepStrictEqual(yield* heardUntil(heard, "end/1"), ["a/1", "a/2", "a/1"])
      })
    )

    it.effect("send inside a transaction is heard after the commit, by a reader who then finds the rows", () =>
      Effect.gen(function* () {
        const { all, send } = yield* Wakeups
        const { transaction } = yield* Storage
        const store = yield* ExecutionStore
        const [sent, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const heard = yield* listen
        const found = yield* all.pipe(
          Stream.filter((topic) => topic === "b/1"),
          Stream.take(1),
          Stream.runForEach(() => Effect.asVoid(Deferred.await(release))),
          Effect.andThen(store.find(executionId(1))),
          Effect.forkChild
        )
        const work = Effect.gen(function* () {
          yield* send("b/1")
          yield* store.insert(queuedExecution(1))
          yield* Deferred.succeed(sent, undefined)
          for (let i = 0; i < 50; i++) yield* Effect.yieldNow
          assert.notInclude(heard, "b/1")
        })
        yield* Effect.forkChild(transaction(work))
        yield* Deferred.await(sent)
        yield* Deferred.succeed(release, undefined)
        assert.isTrue(Option.isSome(yield* Fiber.join(found)))
        assert.deepStrictEqual(yield* heardUntil(heard, "end/2"), ["b/1"])
      })
    )

    it.effect("send is dropped with the transaction, and with the nested one it was in", () =>
      Effect.gen(function* () {
        const { send } = yield* Wakeups
        const { transaction } = yield* Storage
        const heard = yield* listen
        yield* Effect.flip(transaction(Effect.andThen(send("c/1"), Effect.fail("stop"))))
        yield* transaction(
          Effect.gen(function* () {
            yield* send("c/2")
            yield* Effect.flip(transaction(Effect.andThen(send("c/3"), Effect.fail("stop"))))
            yield* transaction(send("c/4"))
          })
        )
        assert.deepStrictEqual(yield* heardUntil(heard, "end/3"), ["c/2", "c/4"])
      })
    )

    it.effect("a reader that falls behind loses the oldest hints and keeps the newest 1,024", () =>
      Effect.gen(function* () {
        const { all, send } = yield* Wakeups
        const [first, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const kept: Array<WakeupTopic> = []
        const reader = yield* all.pipe(
          Stream.rechunk(1),
          Stream.tap(() => Effect.andThen(Deferred.succeed(first, undefined), Deferred.await(release))),
          Stream.takeUntil((topic) => topic === "d/3000"),
          Stream.runForEach((topic) => Effect.sync(() => void kept.push(topic))),
          Effect.forkChild
        )
        yield* eventually(Effect.andThen(send("d/0"), Deferred.isDone(first)), (done) => done)
        for (let i = 1; i <= 3_000; i++) yield* send(`d/${i}`)
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(reader)
        assert.deepStrictEqual(
          kept.slice(-1_000),
          Array.from({ length: 1_000 }, (_, i): WakeupTopic => `d/${2_001 + i}`)
        )
        assert.isBelow(kept.length, 2_500)
      })
    )

    it.effect("stores send the wake-ups that their ports name", () =>
      Effect.gen(function* () {
        const sagas = yield* SagaStore
        const heard = yield* listen
        yield* (yield* EventLog).append("e", [runningEvent(51)])
        assert.deepStrictEqual(yield* heardUntil(heard, "end/5"), ["stream/e"])

        yield* sagas.insert(createdSaga(52))
        const saga = Option.getOrThrow(yield* sagas.claim(sagaId(52), 1, "a"))
        yield* sagas.requestCancel(sagaId(52), { at: instant, by: "alice", reason: "enough" })
        const key = { executionId: executionId(52), attempt: 1 }
        const output = { output: "stdout", offset: 0, bytes: new Uint8Array(1) } as const
        yield* (yield* ExecutionOutputStore).append(key, { sagaId: sagaId(52), fence: 1 }, [output])
        yield* (yield* Journal).append({
          saga: new Saga({ ...saga, logLength: 1 }),
          at: instant,
          entries: [{ _tag: "SagaStarted", name: "run", definitionVersion: 1 }],
          events: [runningEvent(52)]
        })
        yield* sagas.requestCancel(sagaId(59), { at: instant, by: "alice", reason: "unknown" })
        const topics = (yield* heardUntil(heard, "end/6")).slice(2)
        assert.deepStrictEqual(topics, [
          `saga/${sagaId(52)}`,
          `output/${executionId(52)}`,
          `stream/execution/${executionId(52)}`
        ])
      })
    )
  })
