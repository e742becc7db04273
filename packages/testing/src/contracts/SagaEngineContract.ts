/** What every engine promises: each committed item reaches an executor, at least once, and never more executors than asked for. */
import { assert, it } from "@effect/vitest"
import { AdmissionStore } from "@fairlead/core/executions/AdmissionStore"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import type { Stores } from "@fairlead/core/Stores"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import type { SagaDispatch, SagaNode } from "@fairlead/core/sagas/SagaItem"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { Clock, Deferred, Effect, type Layer } from "effect"
import { runningEvent } from "../fixtures/EventFixtures.ts"
import { queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { waitingEntry } from "../fixtures/QueueFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { sagaId } from "../fixtures/Uuid.ts"
import { eventually, liveSuite } from "./internal/eventually.ts"

const item = (n: number, dispatch = 1): SagaDispatch => ({ sagaId: sagaId(n), dispatch })
const failed = new StorageError({ operation: "test", retryable: true, cause: "test" })

/** Saga `n` and its first item, in one transaction, as accepting a request does it. */
const accept = Effect.fnUntraced(function* (n: number) {
  const { transaction } = yield* Storage
  const engine = yield* SagaEngine
  const sagas = yield* SagaStore
  yield* transaction(Effect.andThen(sagas.insert(createdSaga(n)), engine.dispatch(item(n))))
})

/** Runs the engine until the scope closes, noting every delivery; `execute` decides what becomes of it. */
const running = Effect.fnUntraced(function* (
  maxExecutors: number,
  execute: (item: SagaDispatch) => Effect.Effect<void, StorageError> = () => Effect.void,
  nodes: ReadonlyArray<SagaNode> = [undefined]
) {
  const delivered: Array<string> = []
  yield* (yield* SagaEngine).run(
    (taken) =>
      Effect.suspend(() => {
        delivered.push(`${taken.sagaId}:${taken.dispatch}`)
        return execute(taken)
      }),
    nodes.map((nodeId) => ({ nodeId, maxExecutors }))
  )
  return delivered
})

const nodeId = NodeId.make("ssh/here")

/** Execution and saga `n` as they begin in the hands of this instance. */
const begin = Effect.fnUntraced(function* (n: number) {
  const saga = createdSaga(n, { state: "running", fence: 1, executor: "a", nodeId })
  const execution = queuedExecution(n)
  const entry = waitingEntry(n, { runtime: "ssh", state: "assigned", nodeId: nodeId })
  assert.isTrue(
    yield* (yield* AdmissionStore).createStarted({ execution, saga, entry, entries: [], events: [runningEvent(n)] })
  )
  return { saga, subject: execution, entries: [] }
})

const deliveries = (delivered: ReadonlyArray<string>, { dispatch, sagaId }: SagaDispatch) =>
  delivered.filter((name) => name === `${sagaId}:${dispatch}`).length

const untilDelivered = (delivered: ReadonlyArray<string>, wanted: SagaDispatch, times = 1) =>
  eventually(
    Effect.sync(() => deliveries(delivered, wanted)),
    (count) => count >= times
  )

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`SagaEngine (${name})`, (it) => {
    it.effect("an item reaches an executor after its transaction commits, never if it rolls back", () =>
      Effect.gen(function* () {
        const { transaction } = yield* Storage
        const engine = yield* SagaEngine
        const delivered = yield* running(4)
        const release = yield* Deferred.make<void>()
        yield* Effect.flip(transaction(Effect.andThen(engine.dispatch(item(1)), Effect.fail("stop"))))
        yield* transaction(
          Effect.gen(function* () {
            yield* engine.dispatch(item(2))
            yield* Effect.ignore(transaction(Effect.andThen(engine.dispatch(item(3)), Effect.fail("stop"))))
            yield* Effect.timeoutOption(Deferred.await(release), "50 millis")
            assert.strictEqual(deliveries(delivered, item(2)), 0)
          })
        )
        yield* untilDelivered(delivered, item(2))
        yield* accept(4)
        yield* untilDelivered(delivered, item(4))
        assert.deepStrictEqual([deliveries(delivered, item(1)), deliveries(delivered, item(3))], [0, 0])
      }).pipe(Effect.scoped)
    )

    it.effect("the same number is delivered once, another number again", () =>
      Effect.gen(function* () {
        const engine = yield* SagaEngine
        const delivered = yield* running(4)
        yield* accept(11)
        yield* engine.dispatch(item(11))
        yield* untilDelivered(delivered, item(11))
        yield* engine.dispatch(item(11))
        yield* engine.dispatch(item(11, 2))
        yield* untilDelivered(delivered, item(11, 2))
        assert.strictEqual(deliveries(delivered, item(11)), 1)
      }).pipe(Effect.scoped)
    )

    it.effect("a delayed item comes after its delay", () =>
      Effect.gen(function* () {
        const engine = yield* SagaEngine
        const delivered = yield* running(4)
        const start = yield* Clock.currentTimeMillis
        yield* engine.dispatch(item(21), undefined, 800)
        yield* engine.dispatch(item(22))
        yield* untilDelivered(delivered, item(22))
        assert.strictEqual(deliveries(delivered, item(21)), 0)
        yield* untilDelivered(delivered, item(21))
        assert.isAtLeast((yield* Clock.currentTimeMillis) - start, 800)
      }).pipe(Effect.scoped)
    )

    it.effect("an item whose executor fails or dies is delivered again", () =>
      Effect.gen(function* () {
        const seen = new Map<string, number>()
        const delivered = yield* running(4, (taken) =>
          Effect.suspend(() => {
            const count = (seen.get(taken.sagaId) ?? 0) + 1
            seen.set(taken.sagaId, count)
            if (count > 1) return Effect.void
            return taken.sagaId === sagaId(31) ? Effect.fail(failed) : Effect.die("bug")
          })
        )
        yield* accept(31)
        yield* accept(32)
        yield* untilDelivered(delivered, item(31), 2)
        yield* untilDelivered(delivered, item(32), 2)
      }).pipe(Effect.scoped)
    )

    it.effect("at most maxDrivers drive at a time, and all items come", () =>
      Effect.gen(function* () {
        let [now, most] = [0, 0]
        const delivered = yield* running(3, () =>
          Effect.acquireUseRelease(
            Effect.sync(() => {
              now++
              most = Math.max(most, now)
            }),
            () => Effect.timeoutOption(Effect.never, "5 millis"),
            () => Effect.sync(() => now--)
          )
        )
        const numbers = Array.from({ length: 20 }, (_, i) => 100 + i)
        yield* Effect.forEach(numbers, accept, { concurrency: 5 })
        for (const n of numbers) yield* untilDelivered(delivered, item(n))
        assert.strictEqual(most, 3)
      }).pipe(Effect.scoped)
    )

    it.effect("what is in hand when the scope closes is handed back, and goes to the next who runs", () =>
      Effect.gen(function* () {
        yield* accept(41)
        const first = yield* Effect.scoped(
          Effect.gen(function* () {
            // Other tests may have left items; only ours is held.
            const delivered = yield* running(2, (taken) => (taken.sagaId === sagaId(41) ? Effect.never : Effect.void))
            yield* untilDelivered(delivered, item(41))
            return delivered
          })
        )
        assert.strictEqual(deliveries(first, item(41)), 1)
        const second = yield* running(2)
        yield* untilDelivered(second, item(41))
      }).pipe(Effect.scoped)
    )

    it.effect("an item of a node goes only to who serves that node, and the same number counts once a node", () =>
      Effect.gen(function* () {
        const engine = yield* SagaEngine
        const [here, there] = [
          yield* running(2, undefined, [undefined, "process/here"]),
          yield* running(2, undefined, ["process/there"])
        ]
        yield* engine.dispatch(item(51), "process/there")
        yield* engine.dispatch(item(52), "process/here")
        yield* engine.dispatch(item(53))
        yield* untilDelivered(there, item(51))
        yield* untilDelivered(here, item(52))
        yield* untilDelivered(here, item(53))
        yield* engine.dispatch(item(51), "process/here")
        yield* untilDelivered(here, item(51))
        assert.deepStrictEqual([deliveries(there, item(51)), deliveries(there, item(52))], [1, 0])
      }).pipe(Effect.scoped)
    )

    it.effect("an item that was begun here is driven here at once, with what it began with", () =>
      Effect.gen(function* () {
        const engine = yield* SagaEngine
        const seen: Array<SagaDispatch["begun"]> = []
        const delivered = yield* running(2, ({ begun }) => Effect.sync(() => void seen.push(begun)), [nodeId])
        const begun = yield* begin(61)
        yield* engine.deliverLocal(begun)
        yield* untilDelivered(delivered, item(61))
        assert.deepStrictEqual(seen, [begun])
        yield* engine.dispatch(item(61, 2), nodeId)
        yield* untilDelivered(delivered, item(61, 2))
        assert.strictEqual(deliveries(delivered, item(61)), 1)
      }).pipe(Effect.scoped)
    )

    it.effect(
      "an item that was begun here is delivered again when its executor fails, and when it is interrupted",
      () =>
        Effect.gen(function* () {
          const engine = yield* SagaEngine
          const first = yield* Effect.scoped(
            Effect.gen(function* () {
              const delivered = yield* running(
                2,
                ({ begun, sagaId }) => (begun !== undefined && sagaId === item(71).sagaId ? failed : Effect.never),
                [nodeId]
              )
              for (const n of [71, 72]) yield* engine.deliverLocal(yield* begin(n))
              yield* untilDelivered(delivered, item(71), 2)
              yield* untilDelivered(delivered, item(72))
              return delivered
            })
          )
          assert.strictEqual(deliveries(first, item(72)), 1)
          const second = yield* running(2, undefined, [nodeId])
          yield* untilDelivered(second, item(71))
          yield* untilDelivered(second, item(72))
        }).pipe(Effect.scoped)
    )

    it.effect("check passes", () => Effect.flatMap(SagaEngine, ({ check }) => check))
  })
