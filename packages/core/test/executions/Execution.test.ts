import { assert, describe, it } from "@effect/vitest"
import {
  asOfAttempt,
  attemptsOf,
  beginAttempt,
  currentAttempt,
  Execution,
  finish,
  noOutput,
  requeue,
  schedule,
  storedOutputBytes
} from "@fairlead/core/executions/Execution"
import { isTerminal, TerminalStatus } from "@fairlead/core/executions/ExecutionStatus"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import { instant, queuedExecution } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { DateTime, Equal, Result, Schema } from "effect"

const later = DateTime.add(instant, { seconds: 1 })

describe("Execution", () => {
  it.prop("moves unless it has ended, and then never", [Execution, TerminalStatus], ([execution, status]) => {
    const moves = [
      schedule(execution, later, undefined),
      beginAttempt(execution, later),
      finish(execution, later, status, noOutput)
    ]
    for (const move of moves) assert.strictEqual(Result.isSuccess(move), !isTerminal(execution.status))
  })

  it("adds up what its attempts left, and counts nothing twice when the next one never begins", () => {
    const outcome = { ...noOutput, stdoutBytes: 3, stderrBytes: 4 }
    const first = Result.getOrThrow(beginAttempt(queuedExecution(1), instant))
    const queued = Result.getOrThrow(requeue(first, later, "failed", outcome, later))
    assert.deepStrictEqual([first, queued].map(storedOutputBytes), [0, 7])
    assert.strictEqual(storedOutputBytes(Result.getOrThrow(finish(queued, later, "cancelled", outcome))), 7)
    const second = Result.getOrThrow(beginAttempt(queued, later))
    assert.strictEqual(storedOutputBytes(Result.getOrThrow(finish(second, later, "completed", outcome))), 14)
  })

  it.prop("ends once, with an outcome and a time", [Execution, TerminalStatus], ([execution, status]) => {
    const once = finish(execution, later, status, noOutput)
    if (Result.isFailure(once)) return
    assert.deepInclude(once.success, { status, outcome: noOutput, finishedAt: later, updatedAt: later })
    assert.isTrue(Result.isFailure(finish(once.success, later, "completed", noOutput)))
  })

  it.prop("counts attempts up, each with a start of its own", [Execution], ([execution]) => {
    const first = beginAttempt(execution, instant)
    if (Result.isFailure(first)) return
    const second = Result.getOrThrow(beginAttempt(first.success, later))
    assert.strictEqual(second.attempt, execution.attempt + 2)
    assert.isTrue(Equal.equals(second.startedAt, later))
  })

  it.prop(
    "goes back into the line with what its attempt left, and the next one has the next number",
    [Execution],
    ([execution]) => {
      const { nodeId: _, startedAt: __, ...fresh } = execution
      const running = beginAttempt(new Execution({ ...fresh, attempt: 0 }), instant)
      if (Result.isFailure(running)) return
      const queued = Result.getOrThrow(requeue(running.success, later, "failed", noOutput, later))
      assert.deepInclude(queued, { status: "queued", attempt: 1 })
      assert.isUndefined(queued.startedAt)
      assert.deepInclude(queued.earlierAttempts?.at(-1), { attempt: 1, status: "failed", startedAt: instant })
      assert.strictEqual(currentAttempt(queued), 2)
      const neverBegan = Result.getOrThrow(requeue(queued, later, "error", noOutput, later))
      assert.deepStrictEqual([neverBegan.earlierAttempts?.at(-1)?.attempt, currentAttempt(neverBegan)], [2, 3])
    }
  )

  it("is told as it stood with each attempt, each under its own number", () => {
    const nodeId = NodeId.make("process/a")
    const began = (execution: Execution) => Result.getOrThrow(beginAttempt(execution, instant))
    const first = began(Result.getOrThrow(schedule(queuedExecution(1), instant, nodeId)))
    const outcome = { ...noOutput, exitCode: 1, stdoutBytes: 3 }
    const waits = Result.getOrThrow(requeue(first, later, "failed", outcome, later))
    const told = (execution: Execution) =>
      attemptsOf(execution).map(({ attempt, finishedAt, outcome, status }) => ({
        attempt,
        status,
        finishedAt,
        outcome
      }))
    const earlier = { attempt: 1, status: "failed" as const, finishedAt: later, outcome }
    const open = { status: "queued" as const, finishedAt: undefined, outcome: undefined }
    assert.deepStrictEqual(told(queuedExecution(1)), [{ attempt: 1, ...open }])
    assert.deepStrictEqual(told(waits), [earlier, { attempt: 2, ...open }])
    const last = Result.getOrThrow(finish(began(waits), later, "completed", noOutput))
    assert.deepStrictEqual(told(last), [
      earlier,
      { attempt: 2, status: "completed", finishedAt: later, outcome: noOutput }
    ])
    assert.isTrue(Equal.equals(asOfAttempt(last, 2), last))
    assert.strictEqual(asOfAttempt(last, 1)?.nodeId, nodeId)
    for (const attempt of [0, 3]) assert.isUndefined(asOfAttempt(last, attempt))
  })

  it.prop("survives a round trip through JSON", [Execution], ([execution]) => {
    const json = Schema.fromJsonString(Schema.toCodecJson(Execution))
    assert.isTrue(Equal.equals(Schema.decodeSync(json)(Schema.encodeSync(json)(execution)), execution))
  })
})
