import { assert, describe, it } from "@effect/vitest"
import { rename, SparePart } from "@fairlead/core/spare-parts/SparePart"
import { DateTime, Equal, Result, Schema } from "effect"

const later = DateTime.makeUnsafe("2030-01-01T00:00:00Z")

describe("SparePart.rename", () => {
  it.prop("takes a new name once, and counts the change", [SparePart], ([any]) => {
    const sparePart = new SparePart({ ...any, version: 7 })
    const renamed = Result.getOrThrow(rename(sparePart, `${sparePart.name.slice(0, 90)}-new`, later))
    assert.deepInclude(renamed, { version: 8, updatedAt: later })
    assert.isTrue(Result.isFailure(rename(renamed, renamed.name, later)))
  })
})

describe("SparePart", () => {
  it.prop("survives a round trip through JSON", [SparePart], ([sparePart]) => {
    const json = Schema.fromJsonString(Schema.toCodecJson(SparePart))
    assert.isTrue(Equal.equals(Schema.decodeSync(json)(Schema.encodeSync(json)(sparePart)), sparePart))
  })
})
