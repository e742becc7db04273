/** What every store of sagas promises: one executor at a time, and a cancel request that is never overwritten. */
import { assert, it } from "@effect/vitest"
import { executionSubject } from "@fairlead/core/ids/Subject"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import type { Stores } from "@fairlead/core/Stores"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { DateTime, Effect, Equal, Exit, type Layer, Option } from "effect"
import { instant } from "../fixtures/ExecutionFixtures.ts"
import { waitingEntry } from "../fixtures/QueueFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId, userId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

const request = (by: string) => ({ at: instant, by, reason: "enough" })

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`SagaStore (${name})`, (it) => {
    it.effect("find gives back what was inserted, equal in every field", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        const full = createdSaga(2, {
          state: "failed",
          currentStep: "start",
          completedSteps: ["allocate"],
          compensatedSteps: ["allocate"],
          errorMessage: "no",
          executor: "host",
          cancelRequest: request("alice"),
          completedAt: instant
        })
        for (const saga of [createdSaga(1), full]) {
          yield* store.insert(saga)
          assert.isTrue(Equal.equals(yield* store.find(saga.sagaId), Option.some(saga)))
        }
        assert.isTrue(Option.isNone(yield* store.find(sagaId(3))))
        assert.deepStrictEqual(yield* store.log(sagaId(1)), [])
      })
    )

    it.effect("insert dies of an id that exists, and keeps the first", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        yield* store.insert(createdSaga(11))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(store.insert(createdSaga(11, { sagaName: "other" })))))
        assert.isTrue(Equal.equals(yield* store.find(sagaId(11)), Option.some(createdSaga(11))))
      })
    )

    it.effect("list filters and pages newest first, and counts every match", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        const ownerId = userId(20)
        for (const n of [21, 23, 22]) yield* store.insert(createdSaga(n, { ownerId }))
        yield* store.insert(createdSaga(24, { ownerId, state: "completed" }))
        const found = (filter: object) =>
          Effect.map(store.list({ ownerId, limit: 2, offset: 0, ...filter }), ({ sagas, total }) => [
            total,
            ...sagas.map((saga) => saga.sagaId)
          ])
        assert.deepStrictEqual(yield* found({}), [4, sagaId(24), sagaId(23)])
        assert.deepStrictEqual(yield* found({ state: "created", offset: 1 }), [3, sagaId(22), sagaId(21)])
        assert.deepStrictEqual(yield* found({ subject: executionSubject(executionId(22)) }), [1, sagaId(22)])
        assert.deepStrictEqual(yield* found({ ownerId: userId(29) }), [0])
      })
    )

    it.effect("list finds by name, node, time of creation, and by how long nothing has moved", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        const ownerId = userId(25)
        const at = (seconds: number) => DateTime.add(instant, { seconds })
        const nodeId = "process/list-test"
        yield* store.insert(createdSaga(251, { ownerId, createdAt: at(0), sagaName: "other" }))
        yield* store.insert(createdSaga(252, { ownerId, createdAt: at(1), nodeId, state: "running" }))
        const moved = { logLength: 1, lastEntry: { at: at(9), fence: 1 } }
        yield* store.insert(createdSaga(253, { ownerId, createdAt: at(2), state: "compensating", ...moved }))
        yield* store.insert(createdSaga(254, { ownerId, createdAt: at(3), state: "failed" }))
        yield* store.insert(createdSaga(255, { ownerId, createdAt: at(4), logLength: 1, updatedAt: at(20) }))
        const found = (filter: object) =>
          Effect.map(store.list({ ownerId, limit: 9, offset: 0, ...filter }), ({ sagas }) =>
            sagas.map((saga) => saga.sagaId)
          )
        assert.deepStrictEqual(yield* found({ sagaName: "other" }), [sagaId(251)])
        assert.deepStrictEqual(yield* found({ nodeId }), [sagaId(252)])
        assert.deepStrictEqual(yield* found({ createdFrom: at(1), createdTo: at(3) }), [sagaId(253), sagaId(252)])
        assert.deepStrictEqual(yield* found({ stalledSince: at(9) }), [sagaId(252), sagaId(251)])
        assert.deepStrictEqual(yield* found({ stalledSince: at(21), createdFrom: at(4) }), [sagaId(255)])
        assert.deepStrictEqual(yield* found({ stalledSince: at(10), state: "compensating" }), [sagaId(253)])
      })
    )

    it.effect("stalled tells of sagas that made no progress, oldest first, without those that wait in the queue", () =>
      Effect.gen(function* () {
        const [store, line] = [yield* SagaStore, yield* QueueStore]
        const ownerId = userId(26)
        const at = (seconds: number) => DateTime.add(instant, { seconds })
        yield* store.insert(createdSaga(265, { ownerId, suspended: true }))
        yield* line.enqueue(waitingEntry(265, { ownerId, requirement: "process/unmoved/1" }))
        yield* store.insert(createdSaga(264, { ownerId, suspended: true }))
        yield* store.insert(createdSaga(263, { ownerId, lastEntry: { at: at(9), fence: 1 }, logLength: 1 }))
        yield* store.insert(createdSaga(262, { ownerId, state: "running" }))
        yield* store.insert(createdSaga(261, { ownerId, state: "failed" }))
        yield* store.insert(createdSaga(260, { ownerId, state: "compensating" }))
        yield* store.insert(createdSaga(259, { ownerId, suspended: true }))
        yield* line.enqueue(waitingEntry(259, { ownerId, sagaId: sagaId(258), requirement: "process/unmoved/1" }))
        const found = (seconds: number, page: object = {}) =>
          Effect.map(store.stalled(at(seconds), { ownerId, limit: 9, ...page }), (sagas) =>
            sagas.map((saga) => saga.sagaId)
          )
        assert.deepStrictEqual(yield* found(9), [sagaId(259), sagaId(260), sagaId(262), sagaId(264)])
        assert.deepStrictEqual(yield* found(10, { after: sagaId(260), limit: 2 }), [sagaId(262), sagaId(263)])
        assert.deepStrictEqual(yield* found(0), [])
        assert.deepStrictEqual(yield* found(9, { ownerId: userId(27) }), [])
      })
    )

    it.effect("claim raises the fence, names the executor and starts the saga", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        yield* store.insert(createdSaga(31))
        const first = Option.getOrThrow(yield* store.claim(sagaId(31), 1, "a"))
        assert.deepInclude(first, { fence: 1, executor: "a", state: "running", dispatch: 1 })
        assert.isTrue(DateTime.isGreaterThan(first.updatedAt, instant))
        const second = yield* store.claim(sagaId(31), 1, "b")
        assert.deepInclude(Option.getOrThrow(second), { fence: 2, executor: "b" })
        assert.isTrue(Equal.equals(yield* store.find(sagaId(31)), second))
      })
    )

    it.effect(
      "claim gives none for a stale number, an ended saga and an unknown one; it does not turn an undo around",
      () =>
        Effect.gen(function* () {
          const store = yield* SagaStore
          yield* store.insert(createdSaga(41, { dispatch: 2 }))
          yield* store.insert(createdSaga(42, { state: "cancelled" }))
          yield* store.insert(createdSaga(43, { state: "compensating" }))
          assert.isTrue(Option.isNone(yield* store.claim(sagaId(41), 1, "a")))
          assert.isTrue(Option.isNone(yield* store.claim(sagaId(42), 1, "a")))
          assert.isTrue(Option.isNone(yield* store.claim(sagaId(44), 1, "a")))
          assert.strictEqual(Option.getOrThrow(yield* store.find(sagaId(41))).fence, 0)
          assert.strictEqual(Option.getOrThrow(yield* store.claim(sagaId(43), 1, "a")).state, "compensating")
        })
    )

    it.effect("redispatch makes items of before stale, and with fenceOff the living executor too", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        yield* store.insert(createdSaga(45, { suspended: true }))
        const resumed = Option.getOrThrow(yield* store.redispatch(sagaId(45), { nodeId: "process/a" }))
        assert.deepInclude(resumed, { dispatch: 2, fence: 0, nodeId: "process/a" })
        assert.isUndefined(resumed.suspended)
        assert.isTrue(Option.isNone(yield* store.claim(sagaId(45), 1, "a")))
        assert.strictEqual(Option.getOrThrow(yield* store.claim(sagaId(45), 2, "a")).fence, 1)
        const suspended = Option.getOrThrow(yield* store.redispatch(sagaId(45), { suspended: true, fenceOff: true }))
        assert.deepInclude(suspended, { dispatch: 3, fence: 2, suspended: true })
        assert.isUndefined(suspended.nodeId)
        assert.isTrue(Equal.equals(yield* store.find(sagaId(45)), Option.some(suspended)))
        yield* store.insert(createdSaga(46, { state: "failed" }))
        assert.isTrue(Option.isNone(yield* store.redispatch(sagaId(46), {})))
      })
    )

    it.effect("nodes and onNode tell of sagas that somebody is to execute", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        const nodeId = "process/node-test"
        yield* store.insert(createdSaga(47, { nodeId: "process/elsewhere", suspended: true }))
        yield* store.insert(createdSaga(49, { nodeId }))
        yield* store.insert(createdSaga(48, { nodeId }))
        yield* store.insert(createdSaga(50, { nodeId, state: "completed" }))
        const nodes = yield* store.nodes
        assert.deepStrictEqual([nodes.includes(nodeId), nodes.includes("process/elsewhere")], [true, false])
        assert.deepStrictEqual(
          (yield* store.onNode(nodeId, 10)).map((saga) => saga.sagaId),
          [sagaId(48), sagaId(49)]
        )
        assert.strictEqual((yield* store.onNode(nodeId, 1)).length, 1)
      })
    )

    it.effect("20 claims at once get 20 different fences", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        yield* store.insert(createdSaga(51))
        const claims = Array.from({ length: 20 }, (_, i) => store.claim(sagaId(51), 1, `host-${i}`))
        const claimed = yield* Effect.all(claims, { concurrency: 20 })
        assert.deepStrictEqual(
          claimed.map((saga) => Option.getOrThrow(saga).fence).toSorted((a, b) => a - b),
          Array.from({ length: 20 }, (_, i) => i + 1)
        )
      })
    )

    it.effect("requestCancel records the first request only, and none for an ended or unknown saga", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        yield* store.insert(createdSaga(61))
        yield* store.insert(createdSaga(62, { state: "completed" }))
        const first = Option.getOrThrow(yield* store.requestCancel(sagaId(61), request("alice")))
        assert.deepStrictEqual(first.cancelRequest, request("alice"))
        const second = Option.getOrThrow(yield* store.requestCancel(sagaId(61), request("bob")))
        assert.deepStrictEqual(second.cancelRequest, request("alice"))
        assert.isTrue(Option.isNone(yield* store.requestCancel(sagaId(62), request("alice"))))
        assert.isTrue(Option.isNone(yield* store.requestCancel(sagaId(63), request("alice"))))
        assert.deepInclude(Option.getOrThrow(yield* store.claim(sagaId(61), 1, "a")), {
          cancelRequest: request("alice")
        })
      })
    )

    it.effect("pulse tells fence and cancel request of the sagas that are stored", () =>
      Effect.gen(function* () {
        const store = yield* SagaStore
        yield* store.insert(createdSaga(71))
        yield* store.insert(createdSaga(72))
        yield* store.claim(sagaId(71), 1, "a")
        yield* store.requestCancel(sagaId(72), request("alice"))
        const pulses = yield* store.pulse([sagaId(71), sagaId(72), sagaId(73)])
        assert.deepStrictEqual(
          pulses.toSorted((a, b) => (a.sagaId < b.sagaId ? -1 : 1)),
          [
            { sagaId: sagaId(71), fence: 1, cancelRequest: undefined },
            { sagaId: sagaId(72), fence: 0, cancelRequest: request("alice") }
          ]
        )
        assert.deepStrictEqual(yield* store.pulse([]), [])
      })
    )
  })
