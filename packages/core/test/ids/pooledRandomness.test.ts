import { assert, describe, it } from "@effect/vitest"
import { pooled } from "@fairlead/core/ids/pooledRandomness"
import { Schema } from "effect"

/** A source that never gives the same four bytes twice, and counts what it gave. */
const counting = () => {
  let [next, given] = [0, 0]
  const fill = (bytes: Uint8Array<ArrayBuffer>) => {
    given += bytes.length
    const view = new DataView(bytes.buffer)
    for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, ++next)
  }
  return { fill, given: () => given }
}
const Sizes = Schema.Array(Schema.Literals([4, 16, 64, 2048])).check(Schema.isMaxLength(400))

describe("pooled", () => {
  it.prop("hands out every byte of its source at most once, and as many as were asked for", [Sizes], ([sizes]) => {
    const draw = pooled(counting().fill)
    const seen = new Set<number>()
    let words = 0
    for (const size of sizes) {
      const bytes = draw(size)
      assert.strictEqual(bytes.length, size)
      const view = new DataView(bytes.buffer)
      for (let at = 0; at < size; at += 4) seen.add(view.getUint32(at))
      words += size / 4
    }
    assert.strictEqual(seen.size, words)
    assert.isFalse(seen.has(0))
  })

  it("asks its source once for many small draws", () => {
    const source = counting()
    const draw = pooled(source.fill)
    for (let n = 0; n < 256; n++) draw(16)
    assert.strictEqual(source.given(), 4096)
  })
})
