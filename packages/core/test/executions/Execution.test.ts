import { assert, describe, it } from "@effect/vitest"
import { beginAttempt, Execution, finish, noOutput, schedule } from "@fairlead/core/executions/Execution"
import { isTerminal, TerminalStatus } from "@fairlead/core/executions/ExecutionStatus"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { DateTime, Equal, Result, Schema } from "effect"

const later = DateTime.add(instant, { seconds: 1 })

describe("Execution", () => {
  it.prop("moves unless it has ended, and then never", [Execution, TerminalStatus], ([execution, status]) => {
    const moves = [
      schedule(execution, later),
      beginAttempt(execution, later),
      finish(execution, later, status, noOutput)
    ]
    for (const move of moves) assert.strictEqual(Result.isSuccess(move), !isTerminal(execution.status))
  })

  it.prop("ends once, with an outcome and a time", [Execution, TerminalStatus], ([execution, status]) => {
    const once = finish(execution, later, status, noOutput)
    if (Result.isFailure(once)) return
    assert.deepInclude(once.success, { status, outcome: noOutput, finishedAt: later, updatedAt: later })
    assert.isTrue(Result.isFailure(finish(once.success, later, "completed", noOutput)))
  })

  it.prop("counts attempts up and keeps the first start", [Execution], ([execution]) => {
    const first = beginAttempt(execution, instant)
    if (Result.isFailure(first)) return
    const second = Result.getOrThrow(beginAttempt(first.success, later))
    assert.strictEqual(second.attempt, execution.attempt + 2)
    assert.isTrue(Equal.equals(second.startedAt, execution.startedAt ?? instant))
  })

  it.prop("survives a round trip through JSON", [Execution], ([execution]) => {
    const json = Schema.fromJsonString(Schema.toCodecJson(Execution))
    assert.isTrue(Equal.equals(Schema.decodeSync(json)(Schema.encodeSync(json)(execution)), execution))
  })
})
