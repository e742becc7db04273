import { assert, describe, it } from "@effect/vitest"
import { wire } from "@fairlead/http/api/Wire"
import { Equal, Schema } from "effect"

const Usage = Schema.Struct({ peakMemoryKb: Schema.Int, exitCode: Schema.NullOr(Schema.Int) })
class Sample extends Schema.Class<Sample>("Sample")({
  createdAt: Schema.DateTimeUtcFromString,
  lastUsage: Schema.optionalKey(Usage),
  allUsages: Schema.Array(Usage),
  usageByName: Schema.Record(Schema.String, Usage),
  outcome: Schema.Union([Schema.Struct({ exitCode: Schema.Int }), Schema.Struct({ errorType: Schema.String })])
}) {}
const codec = Schema.fromJsonString(wire("Sample", Sample))

describe("wire", () => {
  it.prop("is undone by decoding, whatever the value", [Sample], ([sample]) => {
    assert.isTrue(Equal.equals(Schema.decodeSync(codec)(Schema.encodeSync(codec)(sample)), sample))
  })

  it("renames struct keys at every depth and leaves record keys alone", () => {
    const usage = { peakMemoryKb: 1, exitCode: null }
    const input = {
      created_at: "2026-01-01T00:00:00.000Z",
      last_usage: { peak_memory_kb: 1, exit_code: null },
      all_usages: []
    }
    const json = {
      ...input,
      usage_by_name: { keepMe: { peak_memory_kb: 1, exit_code: null } },
      outcome: { error_type: "timeout" }
    }
    const sample = Schema.decodeSync(codec)(JSON.stringify(json))
    assert.deepStrictEqual([sample.lastUsage, sample.usageByName["keepMe"]], [usage, usage])
    assert.deepStrictEqual(JSON.parse(Schema.encodeSync(codec)(sample)), json)
  })
})
