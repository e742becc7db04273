/** The files are read by `test/events/golden.test.ts`; here it is only seen to that none is missing. */
import { existsSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { UserEvents } from "@fairlead/core/events/UserEvents"

describe("golden events", () => {
  it.each(UserEvents.map((member) => member.fields._tag.schema.literal))("exist for %s", (tag) => {
    assert.isTrue(existsSync(new URL(`../golden/${tag}.json`, import.meta.url)))
  })
})
