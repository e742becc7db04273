import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { shapeOf } from "../../src/server/internal/jsonShape.ts"

const members = (value: unknown) => (typeof value === "object" && value !== null ? Object.values(value) : [])
const sum = (counts: ReadonlyArray<number>) => counts.reduce((all, count) => all + count, 0)
const isList = (value: unknown) => typeof value === "object" && value !== null
const depthOf = (value: unknown): number => (isList(value) ? 1 + Math.max(0, ...members(value).map(depthOf)) : 0)
const valuesOf = (value: unknown): number => members(value).length + sum(members(value).map(valuesOf))
const emptyOnes = (value: unknown): number =>
  (isList(value) && members(value).length === 0 ? 1 : 0) + sum(members(value).map(emptyOnes))

describe("shapeOf", () => {
  it.prop("tells of every JSON text how deep its value is and how many values it holds", [Schema.Json], ([value]) => {
    const text = `${" ".repeat(100)}${JSON.stringify(value)}`
    const [depth, values] = [depthOf(value), valuesOf(value) + emptyOnes(value)]
    assert.deepStrictEqual(shapeOf(text, { depth: 100, values: text.length }), { depth, values })
    if (depth > 0) assert.strictEqual(shapeOf(text, { depth: depth - 1, values: text.length }).depth, depth)
    if (values > 0) assert.strictEqual(shapeOf(text, { depth: 100, values: values - 1 }).values, values)
  })
})
