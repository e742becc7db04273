/** Histories that the real core wrote in memory, as execution records. */
import { assert } from "@effect/vitest"
import { Executions } from "@fairlead/core/executions/Executions"
import type { ExecutionRecords } from "@fairlead/core/verification/ExecutionRecords"
import { IntegrityReader } from "@fairlead/core/verification/IntegrityReader"
import { Effect } from "effect"
import { alice, lines, result, run, running, source, submit } from "../../executions/support/MemoryHost.ts"

export const records = Effect.flatMap(IntegrityReader, (store) => store.page(undefined, 500))

const only = Effect.map(records, ([records]): ExecutionRecords => records ?? assert.fail("nothing is stored"))

/** One that ran to its end and wrote to both streams. */
export const completed = Effect.andThen(run(lines("out hello\nerr oops\nexit 0", { idempotencyKey: "k" })), only)

/** One that failed, was tried again by its policy, and failed again. */
export const retried = Effect.andThen(
  run(lines("out try\nexit 3", { retryPolicy: { maxAttempts: 2, backoffMillis: 0, on: ["script_error"] } })),
  only
)

/** One that was cancelled while it ran. */
export const cancelled = Effect.gen(function* () {
  const { executionId } = yield* submit(lines("out up\nhang"))
  yield* running(executionId)
  yield* (yield* Executions).cancel(alice, executionId, "enough", source)
  yield* result(executionId)
  return yield* only
})

/** One that still runs. */
export const active = Effect.gen(function* () {
  const { executionId } = yield* submit(lines("out up\nhang"))
  yield* running(executionId)
  return yield* only
})
