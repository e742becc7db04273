/** What every store of executions promises. */
import { assert, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { IdempotencyStore } from "@fairlead/core/executions/IdempotencyStore"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import type { Stores } from "@fairlead/core/storage/Storage"
import { DateTime, Effect, Equal, Exit, type Layer, Option } from "effect"
import { runningEvent } from "../fixtures/EventFixtures.ts"
import { awkwardText, completedExecution, instant, queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId, userId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

const page = { limit: 100, offset: 0 }

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`ExecutionStore (${name})`, (it) => {
    it.effect("find gives back what was inserted, equal in every field", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const awkward = queuedExecution(1, { script: awkwardText, args: [awkwardText, ""] })
        for (const execution of [awkward, completedExecution(2)]) {
          yield* store.insert(execution)
          assert.isTrue(Equal.equals(yield* store.find(execution.executionId), Option.some(execution)))
        }
        assert.isTrue(Option.isNone(yield* store.find(executionId(3))))
      })
    )

    it.effect("insert dies of an id that exists, and keeps the first", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        yield* store.insert(queuedExecution(11))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(store.insert(queuedExecution(11, { lang: "node" })))))
        assert.isTrue(Equal.equals(yield* store.find(executionId(11)), Option.some(queuedExecution(11))))
      })
    )

    it.effect("list pages newest first and counts every match", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const ownerId = userId(20)
        for (const n of [21, 23, 22]) yield* store.insert(queuedExecution(n, { ownerId }))
        const idsOf = (limit: number, offset: number) =>
          Effect.map(store.list({ ownerId, limit, offset }), ({ executions, total }) => [
            total,
            ...executions.map((execution) => execution.executionId)
          ])
        assert.deepStrictEqual(yield* idsOf(2, 0), [3, executionId(23), executionId(22)])
        assert.deepStrictEqual(yield* idsOf(2, 2), [3, executionId(21)])
        assert.deepStrictEqual(yield* idsOf(2, 9), [3])
      })
    )

    it.effect("list filters by owner, status, language, and by time: from is included, to is not", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const ownerId = userId(30)
        const at = (seconds: number) => DateTime.add(instant, { seconds })
        yield* store.insert(queuedExecution(31, { ownerId, createdAt: at(0) }))
        yield* store.insert(queuedExecution(32, { ownerId, createdAt: at(1), lang: "node" }))
        yield* store.insert(completedExecution(33, { ownerId, createdAt: at(2) }))
        yield* store.insert(queuedExecution(34, { ownerId: userId(39), createdAt: at(1) }))
        const found = (filter: object) =>
          Effect.map(store.list({ ...page, ...filter }), ({ executions }) =>
            executions.map((execution) => execution.executionId)
          )
        assert.deepStrictEqual(yield* found({ ownerId }), [executionId(33), executionId(32), executionId(31)])
        assert.deepStrictEqual(yield* found({ ownerId, status: "queued" }), [executionId(32), executionId(31)])
        assert.deepStrictEqual(yield* found({ ownerId, status: "queued", lang: "node" }), [executionId(32)])
        assert.deepStrictEqual(yield* found({ ownerId, from: at(1), to: at(2) }), [executionId(32)])
      })
    )

    it.effect("remove takes a terminal execution with its output, its saga and its key; its events stay", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const output = yield* ExecutionOutputStore
        const sagas = yield* SagaStore
        const keys = yield* IdempotencyStore
        const log = yield* EventLog
        const key = { executionId: executionId(51), attempt: 1 }
        const claim = { ownerId: userId(50), key: "k", requestHash: "h", executionId: executionId(51), at: instant }
        yield* store.insert(completedExecution(51))
        yield* sagas.insert(createdSaga(51))
        yield* output.append(key, { sagaId: sagaId(51), fence: 0 }, [
          { output: "stdout", offset: 0, bytes: new Uint8Array(3) }
        ])
        yield* keys.claim(claim)
        yield* log.append("execution/51", [runningEvent(51)])

        assert.isTrue(yield* store.remove(executionId(51)))
        assert.isTrue(Option.isNone(yield* store.find(executionId(51))))
        assert.isTrue(Option.isNone(yield* sagas.find(sagaId(51))))
        assert.deepStrictEqual(yield* output.sizes(key), { stdout: 0, stderr: 0 })
        assert.deepStrictEqual(yield* keys.claim(claim), { _tag: "New" })
        assert.strictEqual((yield* log.readStream("execution/51", { afterVersion: 0, limit: 10 })).length, 1)
        assert.isFalse(yield* store.remove(executionId(51)))
      })
    )

    it.effect("removeEndedBefore takes the oldest ended ones with all they have, at most as many as asked", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const [sagas, output] = [yield* SagaStore, yield* ExecutionOutputStore]
        // Far in the past, so that executions of other tests are too young.
        const at = (seconds: number) => DateTime.add(DateTime.makeUnsafe("2001-01-01T00:00:00Z"), { seconds })
        for (const n of [73, 71, 72]) {
          yield* store.insert(completedExecution(n, { finishedAt: at(n) }))
          yield* sagas.insert(createdSaga(n))
          const fence = { sagaId: sagaId(n), fence: 0 }
          yield* output.append(completedExecution(n), fence, [
            { output: "stdout", offset: 0, bytes: new Uint8Array(3) }
          ])
        }
        yield* store.insert(queuedExecution(70))
        const left = Effect.map(
          Effect.filter([70, 71, 72, 73], (n) => Effect.map(store.find(executionId(n)), Option.isSome)),
          (numbers) => numbers.join(" ")
        )
        assert.strictEqual(yield* store.removeEndedBefore(at(71), 10), 0)
        assert.strictEqual(yield* store.removeEndedBefore(at(73), 10), 2)
        assert.strictEqual(yield* left, "70 73")
        assert.isTrue(Option.isNone(yield* sagas.find(sagaId(71))))
        assert.deepStrictEqual(yield* output.sizes(completedExecution(72)), { stdout: 0, stderr: 0 })
        assert.isTrue(Option.isSome(yield* sagas.find(sagaId(73))))
        yield* store.insert(completedExecution(74, { finishedAt: at(1) }))
        assert.strictEqual(yield* store.removeEndedBefore(at(100), 1), 1)
        assert.strictEqual(yield* left, "70 73")
        assert.strictEqual(yield* store.removeEndedBefore(at(100), 1), 1)
        assert.strictEqual(yield* store.removeEndedBefore(at(100), 1), 0)
        assert.strictEqual(yield* left, "70")
      })
    )

    it.effect("remove leaves an execution that is not terminal, and all that belongs to it", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        yield* store.insert(queuedExecution(61))
        yield* (yield* SagaStore).insert(createdSaga(61))
        assert.isFalse(yield* store.remove(executionId(61)))
        assert.isTrue(Option.isSome(yield* store.find(executionId(61))))
        assert.isTrue(Option.isSome(yield* (yield* SagaStore).find(sagaId(61))))
      })
    )
  })
