/** Restarting sagas: a new execution that goes through the line, whose saga goes on from another one. */

import { assert, describe } from "@effect/vitest"
import { ExecutionRestarts } from "@fairlead/core/executions/ExecutionRestarts"
import { Executions } from "@fairlead/core/executions/Executions"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { executionSubject } from "@fairlead/core/ids/Subject"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Sagas } from "@fairlead/core/sagas/Sagas"
import { Effect, Option } from "effect"
import { admin, alice, bob, lines, live, result, run, running, source, submit } from "./support/MemoryHost.ts"

const sagaOf = (id: Parameters<typeof result>[0]) =>
  Effect.flatMap(Sagas, (sagas) => sagas.list(admin, { subject: executionSubject(id), limit: 1, offset: 0 })).pipe(
    Effect.map(({ sagas }) => Option.getOrThrow(Option.fromUndefinedOr(sagas[0])))
  )
const restart = (...args: Parameters<(typeof ExecutionRestarts)["Service"]["restart"]>) =>
  Effect.flatMap(ExecutionRestarts, (restarts) => restarts.restart(...args))
/** A script that was cancelled while it ran, and its saga. */
const cancelled = Effect.gen(function* () {
  const { executionId } = yield* submit(lines("out begun\nhang"))
  yield* running(executionId)
  yield* (yield* Executions).cancel(alice, executionId, "enough", source)
  yield* result(executionId)
  return yield* Effect.repeat(sagaOf(executionId), { until: ({ state }) => state === "cancelled", times: 1000 })
})

describe("ExecutionRestarts", () => {
  live(
    "makes a new execution whose saga takes over what came before; the old one stays as it is",
    Effect.gen(function* () {
      const saga = yield* cancelled
      const { execution, fromStep, retryOf } = yield* restart(alice, saga.sagaId, undefined, source)
      assert.deepStrictEqual([fromStep, retryOf], ["queue_execution", saga.subject.id])
      assert.deepInclude(execution, {
        status: "queued",
        retryOf: ExecutionId.make(saga.subject.id),
        script: "out begun\nhang"
      })
      yield* running(execution.executionId)
      const next = yield* sagaOf(execution.executionId)
      const log = yield* (yield* SagaStore).log(next.sagaId)
      assert.deepStrictEqual(log[0]?.entry, {
        _tag: "SagaStarted",
        name: "execution_saga",
        definitionVersion: 1,
        restartOf: saga.sagaId,
        fromStep: "queue_execution"
      })
      const { history } = yield* (yield* Sagas).history(alice, next.sagaId)
      assert.deepStrictEqual(
        history.runs.slice(0, 3).map(({ result, step }) => `${step} ${result}`),
        ["validate_execution reused", "allocate_resources reused", "queue_execution completed"]
      )
      const { cpuMillicores, memoryBytes } = execution.limits
      assert.deepStrictEqual(history.runs[1]?.output, { cpu_millicores: cpuMillicores, memory_bytes: memoryBytes })
      assert.strictEqual((yield* sagaOf(ExecutionId.make(saga.subject.id))).state, "cancelled")
      assert.strictEqual((yield* result(ExecutionId.make(saga.subject.id))).execution.status, "cancelled")
      yield* (yield* Executions).cancel(alice, execution.executionId, "enough", source)
      assert.strictEqual((yield* result(execution.executionId)).execution.status, "cancelled")
    })
  )

  live(
    "waits in the line like any other, and can be cancelled there",
    Effect.gen(function* () {
      const saga = yield* cancelled
      const blocker = yield* submit(lines("hang"))
      yield* running(blocker.executionId)
      const { execution } = yield* restart(alice, saga.sagaId, "allocate_resources", source)
      const entry = Option.getOrThrow(yield* (yield* QueueStore).find(execution.executionId))
      assert.strictEqual(entry.state, "waiting")
      yield* (yield* Executions).cancel(alice, execution.executionId, "enough", source)
      assert.strictEqual((yield* result(execution.executionId)).execution.status, "cancelled")
    }),
    1
  )

  live(
    "is refused while the saga runs, where steps do not carry, and to whom the saga does not belong",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("hang"))
      yield* running(executionId)
      const active = yield* sagaOf(executionId)
      assert.deepInclude(yield* Effect.flip(restart(alice, active.sagaId, undefined, source)), { reason: "active" })
      const { execution } = yield* run(lines("exit 3"))
      const ended = yield* Effect.repeat(sagaOf(execution.executionId), {
        until: ({ state }) => state === "completed",
        times: 1000
      })
      const points = ["validate_execution", "allocate_resources", "queue_execution"]
      assert.deepInclude(yield* Effect.flip(restart(alice, ended.sagaId, "monitor_execution", source)), {
        reason: "not_reusable",
        possibleFrom: points
      })
      assert.deepInclude(yield* Effect.flip(restart(alice, ended.sagaId, undefined, source)), { reason: "completed" })
      assert.deepInclude(yield* Effect.flip(restart(bob, ended.sagaId, "queue_execution", source)), {
        _tag: "SagaNotFound"
      })
      const again = yield* restart(alice, ended.sagaId, "queue_execution", source)
      assert.strictEqual((yield* result(again.execution.executionId)).execution.outcome?.exitCode, 3)
    })
  )
})
