import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { isDeeperThan } from "../../src/server/internal/jsonDepth.ts"

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

describe("isDeeperThan", () => {
  it.prop("tells of every JSON text how deep its value is", [Schema.Json], ([value]) => {
    const text = JSON.stringify(value)
    const depth = depthOf(value)
    assert.isFalse(isDeeperThan(depth, text))
    if (depth > 0) assert.isTrue(isDeeperThan(depth - 1, text))
  })
})
