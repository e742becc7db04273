import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Shape, scanner } from "../../src/server/internal/jsonShape.ts"

const members = (value: unknown) => (typeof value === "object" && value !== null ? Object.values(value) : [])
const sum = (counts: ReadonlyArray<number>) => counts.reduce((all, count) => all + count, 0)
const isList = (value: unknown) => typeof value === "object" && value !== null
const depthOf = (value: unknown): number => (isList(value) ? 1 + Math.max(0, ...members(value).map(depthOf)) : 0)
const valuesOf = (value: unknown): number => members(value).length + sum(members(value).map(valuesOf))
const emptyOnes = (value: unknown): number =>
  (isList(value) && members(value).length === 0 ? 1 : 0) + sum(members(value).map(emptyOnes))

const encoder = new TextEncoder()
/** As a reader sees it that gets the text in pieces of that many bytes. */
const shapeOf = (text: string, most: Shape, pieceBytes: number) => {
  const scan = scanner(most)
  const bytes = encoder.encode(text)
  let shape = scan(new Uint8Array())
  for (let at = 0; at < bytes.length; at += pieceBytes) shape = scan(bytes.subarray(at, at + pieceBytes))
  return shape
}

describe("scanner", () => {
  it.prop(
    "tells of every JSON text, however it is cut, how deep its value is and how many values it holds",
    [Schema.Json, Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 }))],
    ([value, pieceBytes]) => {
      const text = `${" ".repeat(100)}${JSON.stringify(value)}`
      const [depth, values] = [depthOf(value), valuesOf(value) + emptyOnes(value)]
      const shape = (most: Shape) => shapeOf(text, most, pieceBytes)
      assert.deepStrictEqual(shape({ depth: 100, values: text.length }), { depth, values })
      if (depth > 0) assert.strictEqual(shape({ depth: depth - 1, values: text.length }).depth, depth)
      if (values > 0) assert.strictEqual(shape({ depth: 100, values: values - 1 }).values, values)
    }
  )
})
