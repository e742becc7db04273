import { assert, describe, it } from "@effect/vitest"
import { quotaRefusalOf } from "@fairlead/core/executions/OutputQuota"
import { Schema } from "effect"

const Bytes = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))

describe("quotaRefusalOf", () => {
  it.prop(
    "refuses exactly those who keep as much as they may or more, and says both",
    [Bytes, Bytes],
    ([stored, over]) => {
      assert.isUndefined(quotaRefusalOf(stored, stored + over + 1))
      const maximum = stored + 1
      assert.deepInclude(quotaRefusalOf(maximum + over, maximum), {
        _tag: "StoredOutputExhausted",
        storedBytes: maximum + over,
        maximumBytes: maximum
      })
    }
  )

  it.prop("refuses nobody without a quota", [Bytes], ([stored]) => {
    assert.isUndefined(quotaRefusalOf(stored, 0))
  })
})
