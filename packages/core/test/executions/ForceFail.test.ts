/** Ending an execution by force, the whole core on memory. */

import { assert, describe } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { Executions } from "@fairlead/core/executions/Executions"
import { ForceFail } from "@fairlead/core/executions/ForceFail"
import { executionSubject } from "@fairlead/core/ids/Subject"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Effect, Option } from "effect"
import { admin, alice, lines, live, result, running, submit, tagsOf } from "./support/MemoryHost.ts"

const sagaOf = Effect.fnUntraced(function* (executionId: Parameters<typeof result>[0]) {
  const { sagas } = yield* (yield* SagaStore).list({ subject: executionSubject(executionId), limit: 1, offset: 0 })
  return Option.getOrThrow(Option.fromUndefinedOr(sagas[0]))
})
const force = (...args: Parameters<(typeof ForceFail)["Service"]["forceFail"]>) =>
  Effect.flatMap(ForceFail, (service) => service.forceFail(...args))

describe("ForceFail", () => {
  live(
    "ends a running execution as an error with its output, for ever, and says who did it",
    Effect.gen(function* () {
      const retryPolicy = { maxAttempts: 3, backoffMillis: 0, on: ["system_error" as const] }
      const { executionId } = yield* submit(lines("out begun\nhang", { retryPolicy }))
      yield* running(executionId)
      const saga = yield* sagaOf(executionId)
      yield* Effect.flatMap(Executions, (executions) =>
        executions.output(alice, executionId, { output: "stdout", offset: 0, limit: 10 })
      ).pipe(Effect.delay("5 millis"), Effect.repeat({ until: ({ size }) => size === 6, times: 1000 }))
      yield* force(admin, saga.sagaId, "its machine is gone")
      const { execution, stdout } = yield* result(executionId)
      assert.deepInclude(execution, { status: "error" })
      assert.deepInclude(execution.outcome, {
        errorType: "system_error",
        errorCause: "force_failed",
        errorMessage: "its machine is gone",
        stdoutBytes: 6
      })
      assert.strictEqual(stdout, "begun\n")
      assert.isTrue(Option.isNone(yield* (yield* QueueStore).find(executionId)))
      const tags = yield* tagsOf(executionId)
      assert.deepStrictEqual(tags.slice(-5), [
        "SagaForceFailed",
        "ExecutionFailed",
        "ResultStored",
        "SagaCompensated",
        "SagaFailed"
      ])
      const events = yield* (yield* EventLog).readStream(`execution/${executionId}`, { afterVersion: 0, limit: 100 })
      assert.deepInclude(events.find(({ event }) => event._tag === "SagaForceFailed")?.event, {
        sagaId: saga.sagaId,
        executionId,
        by: "user-3",
        reason: "its machine is gone"
      })
      const again = yield* Effect.flip(force(admin, saga.sagaId, "again"))
      assert.deepInclude(again, { _tag: "SagaAlreadyEnded", sagaState: "failed" })
      assert.strictEqual((yield* tagsOf(executionId)).length, tags.length)
    })
  )

  live(
    "ends what waits in the line, and is nothing for whoever is no administrator",
    Effect.gen(function* () {
      const { executionId: blocker } = yield* submit(lines("hang"))
      yield* running(blocker)
      const { executionId } = yield* submit(lines("out never"))
      const saga = yield* sagaOf(executionId)
      assert.deepInclude(yield* Effect.flip(force(alice, saga.sagaId, "please")), { _tag: "SagaNotFound" })
      yield* force(admin, saga.sagaId, "enough")
      assert.deepInclude((yield* result(executionId)).execution, { status: "error", attempt: 0 })
      assert.isTrue(Option.isNone(yield* (yield* QueueStore).find(executionId)))
    }),
    1
  )
})
