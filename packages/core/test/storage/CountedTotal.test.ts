import { assert, describe, it } from "@effect/vitest"
import { maxCounted, totalOf } from "@fairlead/core/storage/CountedTotal"
import { Schema } from "effect"

const Page = Schema.Struct({
  limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })),
  offset: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30_000 }))
})
const Matches = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30_000 }))

/** What a store answers that holds so many matches. */
const answer = (page: typeof Page.Type, matches: number) => {
  const returned = Math.max(0, Math.min(page.limit, matches - page.offset))
  return { returned, total: totalOf(page, Math.min(matches, maxCounted), returned) }
}

describe("totalOf", () => {
  it.prop("is exact as long as everything is counted", [Page, Matches], ([page, matches]) => {
    if (matches < maxCounted) assert.strictEqual(answer(page, matches).total, matches)
  })

  it.prop("promises more exactly while there may be more", [Page, Matches], ([page, matches]) => {
    const { returned, total } = answer(page, matches)
    if (page.offset + returned < matches) assert.isAbove(total, page.offset + returned)
    if (returned > 0 && returned < page.limit) assert.isAtMost(total, Math.max(maxCounted, page.offset + returned))
  })
})
