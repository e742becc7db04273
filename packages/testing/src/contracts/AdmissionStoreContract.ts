/** What every adapter of this port promises: an execution, its saga and its first events are there at once, or not at all. */
import { assert, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { AdmissionStore, type StartedExecution } from "@fairlead/core/executions/AdmissionStore"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import type { Stores } from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Effect, Equal, Exit, type Layer, Option } from "effect"
import { runningEvent } from "../fixtures/EventFixtures.ts"
import { completedExecution, instant, queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { waitingEntry } from "../fixtures/QueueFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"
import { look, started, write } from "./internal/journaled.ts"

/** Execution `n` as it starts here at once, on a node of agents. */
const startingHere = (n: number): StartedExecution => {
  const nodeId = NodeId.make("agent/here")
  return {
    execution: queuedExecution(n),
    saga: createdSaga(n, { state: "running", fence: 1, executor: "a", nodeId: nodeId, logLength: 1 }),
    entries: [started],
    entry: waitingEntry(n, { runtime: "agent", state: "assigned", nodeId }),
    events: [runningEvent(n)]
  }
}

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`AdmissionStore (${name})`, (it) => {
    it.effect("createQueued adds the execution, its saga and its first events", () =>
      Effect.gen(function* () {
        const admissions = yield* AdmissionStore
        const opening = { execution: queuedExecution(161), saga: createdSaga(161), events: [runningEvent(161)] }
        yield* admissions.createQueued(opening)
        const seen = yield* look(161)
        assert.isTrue(Equal.equals(seen.execution, opening.execution))
        assert.isTrue(Equal.equals(seen.saga, opening.saga))
        assert.deepStrictEqual(seen.log, [])
        assert.deepStrictEqual(
          seen.events.map(({ eventId, streamVersion }) => [eventId, streamVersion]),
          [[runningEvent(161).eventId, 1]]
        )
        assert.isTrue(
          Exit.hasDies(yield* Effect.exit(admissions.createQueued({ ...opening, events: [runningEvent(162)] })))
        )
        assert.strictEqual((yield* look(161)).events.length, 1)
      })
    )

    it.effect("createQueued goes down with the caller's transaction, and with an event id that is stored already", () =>
      Effect.gen(function* () {
        const admissions = yield* AdmissionStore
        const { transaction } = yield* Storage
        yield* (yield* EventLog).append("elsewhere", [runningEvent(171)])
        const opened = (event: number) =>
          admissions.createQueued({
            execution: queuedExecution(172),
            saga: createdSaga(172),
            events: [runningEvent(event)]
          })
        assert.isTrue(Exit.hasDies(yield* Effect.exit(opened(171))))
        yield* Effect.flip(transaction(Effect.andThen(opened(172), Effect.fail("stop"))))
        assert.isTrue(Option.isNone(yield* (yield* ExecutionStore).find(executionId(172))))
        assert.isTrue(Option.isNone(yield* (yield* SagaStore).find(sagaId(172))))
      })
    )

    it.effect("createStarted adds the execution, its claimed saga, its entry in the line and its first events", () =>
      Effect.gen(function* () {
        const [admissions, line] = [yield* AdmissionStore, yield* QueueStore]
        const beginning = startingHere(201)
        assert.isTrue(yield* admissions.createStarted(beginning))
        const seen = yield* look(201)
        assert.isTrue(Equal.equals(seen.execution, beginning.execution))
        assert.isTrue(Equal.equals(seen.saga, beginning.saga))
        assert.isTrue(Equal.equals(yield* line.find(executionId(201)), Option.some(beginning.entry)))
        assert.deepStrictEqual(
          seen.events.map(({ eventId }) => eventId),
          [runningEvent(201).eventId]
        )
        assert.deepStrictEqual(seen.log, [{ seq: 1, fence: 1, executor: "a", at: instant, entry: started }])
        assert.isTrue(
          yield* (yield* Journal).append(write(beginning.saga, [started], { subject: completedExecution(201) }))
        )
        assert.isTrue(Option.isNone(yield* line.find(executionId(201))))
        assert.isTrue(
          Exit.hasDies(yield* Effect.exit(admissions.createStarted({ ...beginning, events: [runningEvent(202)] })))
        )
      })
    )

    it.effect("createStarted writes nothing while others wait for the same runtime, and while it is paused", () =>
      Effect.gen(function* () {
        const [admissions, line] = [yield* AdmissionStore, yield* QueueStore]
        const refused = Effect.gen(function* () {
          assert.isFalse(yield* admissions.createStarted(startingHere(211)))
          assert.isTrue(Option.isNone(yield* (yield* ExecutionStore).find(executionId(211))))
          assert.isTrue(Option.isNone(yield* (yield* SagaStore).find(sagaId(211))))
          assert.isTrue(Option.isNone(yield* line.find(executionId(211))))
        })
        const another = waitingEntry(212, { runtime: "agent" })
        yield* line.enqueue(another)
        yield* refused
        yield* line.withdraw(another.executionId)
        for (const scope of ["all", "agent"] as const) {
          yield* line.pause({ scope, at: instant, by: "alice", reason: "" })
          yield* refused
          yield* line.resume(scope)
        }
        assert.isTrue(yield* admissions.createStarted(startingHere(211)))
      })
    )

    it.effect(
      "createStarted goes down with the caller's transaction, and with an id that is stored already it spoils no other",
      () =>
        Effect.gen(function* () {
          const admissions = yield* AdmissionStore
          const { transaction } = yield* Storage
          yield* Effect.flip(
            transaction(Effect.andThen(admissions.createStarted(startingHere(221)), Effect.fail("stop")))
          )
          assert.isTrue(Option.isNone(yield* (yield* ExecutionStore).find(executionId(221))))
          assert.isTrue(yield* admissions.createStarted(startingHere(222)))
          const numbers = [222, 223, 224, 225, 226, 227, 228]
          const exits = yield* Effect.forEach(numbers, (n) => Effect.exit(admissions.createStarted(startingHere(n))), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(exits.map(Exit.isSuccess), [false, true, true, true, true, true, true])
        })
    )
  })
