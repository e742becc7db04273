/** What every implementation of records promises: all that is stored about an execution in one piece, and the names of rows that belong to none. */

import { assert, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { IdempotencyStore } from "@fairlead/core/executions/IdempotencyStore"
import { executionSubject } from "@fairlead/core/ids/Subject"
import type { Stores } from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { SagaEngine } from "@fairlead/core/sagas/SagaEngine"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import type { ExecutionRecords } from "@fairlead/core/verification/ExecutionRecords"
import { IntegrityReader } from "@fairlead/core/verification/IntegrityReader"
import { Effect, Equal, type Layer, Option } from "effect"
import { executionEvent, runningEvent } from "../fixtures/EventFixtures.ts"
import { instant, queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId, userId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

/** Execution `n` with a saga that an executor has claimed, a log of one entry, an event, output of two streams and a key. */
const stored = Effect.fnUntraced(function* (n: number) {
  const sagas = yield* SagaStore
  yield* (yield* ExecutionStore).insert(queuedExecution(n))
  yield* sagas.insert(createdSaga(n))
  yield* (yield* SagaEngine).dispatch({ sagaId: sagaId(n), dispatch: 1 })
  const claimed = Option.getOrThrow(yield* sagas.claim(sagaId(n), 1, "a"))
  const saga = createdSaga(n, { ...claimed, logLength: 1 })
  yield* (yield* Journal).append({
    saga,
    at: instant,
    entries: [{ _tag: "SagaStarted", name: "run", definitionVersion: 1 }],
    events: [runningEvent(n)]
  })
  const outputs = yield* ExecutionOutputStore
  const key = { executionId: executionId(n), attempt: 1 }
  for (const offset of [0, 2])
    yield* outputs.append(key, saga, [
      { output: "stdout", offset, bytes: new Uint8Array(2) },
      { output: "stderr", offset: offset / 2, bytes: new Uint8Array(1) }
    ])
  yield* (yield* IdempotencyStore).claim({
    ownerId: userId(1),
    key: `k${n}`,
    requestHash: "h",
    executionId: executionId(n),
    at: instant
  })
})

const idsOf = (page: ReadonlyArray<ExecutionRecords>) => page.map((records) => records.executionId)

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void => {
  it.layer(stores, liveSuite)(`IntegrityReader.page (${name})`, (it) => {
    it.effect("has everything that is stored about each execution, in the order of ids", () =>
      Effect.gen(function* () {
        const store = yield* IntegrityReader
        assert.deepStrictEqual(yield* store.page(undefined, 10), [])
        yield* Effect.forEach([3, 1, 2], stored, { discard: true })
        const page = yield* store.page(undefined, 2)
        assert.deepStrictEqual(idsOf(page), [executionId(1), executionId(2)])
        const [records] = page
        assert(records !== undefined)
        assert.isTrue(Equal.equals(records.execution, queuedExecution(1)))
        assert.deepStrictEqual(
          records.sagas.map(({ log, saga }) => [
            saga.sagaId,
            saga.fence,
            log.map(({ entry, seq }) => [seq, entry._tag])
          ]),
          [[sagaId(1), 1, [[1, "SagaStarted"]]]]
        )
        assert.deepStrictEqual(
          records.events.map(({ event, streamVersion }) => [streamVersion, event._tag]),
          [[1, "ExecutionRunning"]]
        )
        assert.deepStrictEqual(records.extents, [
          { attempt: 1, output: "stderr", offset: 0, length: 2 },
          { attempt: 1, output: "stdout", offset: 0, length: 4 }
        ])
        assert.deepStrictEqual(
          records.keys.map(({ key, ownerId }) => [ownerId, key]),
          [[userId(1), "k1"]]
        )
        assert.deepStrictEqual(records.unreadable, [])
        assert.deepStrictEqual(idsOf(yield* store.page(executionId(2), 2)), [executionId(3)])
        assert.deepStrictEqual(yield* store.page(executionId(3), 2), [])
        assert.deepStrictEqual(yield* store.violations, [])
      })
    )

    it.effect("an execution of which nothing else is stored has empty records", () =>
      Effect.gen(function* () {
        yield* (yield* ExecutionStore).insert(queuedExecution(10))
        const [records] = yield* (yield* IntegrityReader).page(executionId(9), 1)
        assert.deepStrictEqual(
          [records?.sagas, records?.events, records?.extents, records?.keys, records?.unreadable],
          [[], [], [], [], []]
        )
      })
    )
  })

  it.layer(stores, liveSuite)(`IntegrityReader.violations (${name})`, (it) => {
    it.effect("names rows without their execution, and a live saga without a queue item", () =>
      Effect.gen(function* () {
        const { violations, deleted } = yield* IntegrityReader
        const sagas = yield* SagaStore
        yield* stored(1)
        assert.deepStrictEqual(yield* violations, [])
        yield* sagas.insert(createdSaga(2, { state: "completed" }))
        yield* sagas.insert(createdSaga(3, { subject: executionSubject(executionId(1)) }))
        const fence = { sagaId: sagaId(1), fence: 1 }
        const bytes = new Uint8Array(1)
        yield* (yield* ExecutionOutputStore).append({ executionId: executionId(4), attempt: 1 }, fence, [
          { output: "stdout", offset: 0, bytes }
        ])
        yield* (yield* IdempotencyStore).claim({
          ownerId: userId(1),
          key: "lost",
          requestHash: "h",
          executionId: executionId(5),
          at: instant
        })
        const log = yield* EventLog
        yield* log.append(`execution/${executionId(6)}`, [runningEvent(6)])
        const removal = { _tag: "ExecutionDeleted", executionId: executionId(7), deletedBy: "x" } as const
        yield* log.append(`execution/${executionId(7)}`, [executionEvent(7, removal)])
        const found = (yield* violations).map(({ invariant, row }) => `${invariant} ${row}`)
        assert.deepStrictEqual(found.toSorted(), [
          `row_owned events execution/${executionId(6)}`,
          `row_owned execution_output ${executionId(4)}`,
          `row_owned idempotency_keys ${userId(1)}/lost`,
          `row_owned sagas ${sagaId(2)}`,
          `saga_queued sagas ${sagaId(3)}`
        ])
        assert.deepStrictEqual(yield* deleted([executionId(6), executionId(7), executionId(8)]), [executionId(7)])
      })
    )
  })
}
