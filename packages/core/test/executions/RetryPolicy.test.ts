import { assert, describe, it } from "@effect/vitest"
import { ExecutionErrorType } from "@fairlead/core/events/ExecutionErrorType"
import { nextAttemptAt, RetryPolicy } from "@fairlead/core/executions/RetryPolicy"
import { instant } from "@fairlead/testing/fixtures/ExecutionFixtures"
import { DateTime, Schema } from "effect"

const Attempt = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 25 }))

describe("nextAttemptAt", () => {
  it.prop(
    "allows as many attempts as the policy, of the kinds that it names",
    [RetryPolicy, Attempt, ExecutionErrorType],
    ([policy, attempt, type]) => {
      const at = nextAttemptAt(policy, attempt, type, instant)
      assert.strictEqual(at !== undefined, attempt < policy.maxAttempts && policy.on.includes(type))
      assert.isUndefined(nextAttemptAt(undefined, attempt, type, instant))
      assert.isUndefined(nextAttemptAt(policy, attempt, undefined, instant))
    }
  )

  it.prop("waits longer each time, up to an hour", [RetryPolicy, Attempt], ([policy, attempt]) => {
    const delay = (number: number) => {
      const at = nextAttemptAt({ ...policy, maxAttempts: 100, on: ["timeout"] }, number, "timeout", instant)
      return at === undefined ? Number.NaN : DateTime.toEpochMillis(at) - DateTime.toEpochMillis(instant)
    }
    assert.strictEqual(delay(1), policy.backoffMillis)
    assert.isAtLeast(delay(attempt + 1), delay(attempt))
    assert.isAtMost(delay(attempt), 3_600_000)
  })
})
