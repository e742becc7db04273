import { assert, describe, it } from "@effect/vitest"
import { formatPosition, parsePosition } from "@fairlead/core/executions/feedPositionText"
import { Schema } from "effect"

const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const Part = Schema.Literals(["0", "00", "7", "07", "120", "9007199254740991", "9007199254740993", "-1", ""])
const Position = Schema.Struct({ version: Count, attempt: Count, stdout: Count, stderr: Count })

describe("feed position text", () => {
  it.prop("is undone by parsing", [Position], ([position]) => {
    assert.deepStrictEqual(parsePosition(formatPosition(position)), position)
  })

  it.prop("is the only text of its position", [Schema.Array(Part)], ([parts]) => {
    const text = parts.join(".")
    const position = parsePosition(text)
    if (position !== undefined) assert.strictEqual(formatPosition(position), text)
  })

  it("is absent for texts of another form", () => {
    for (const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.-4",
      "01.2.3.4",
      "1.2.3.4 ",
      "1.2.3.9999999999999999",
      "a.b.c.d"
    ])
      assert.isUndefined(parsePosition(text), text)
  })
})
