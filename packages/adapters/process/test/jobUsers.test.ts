import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { accounts, unfitness } from "../src/internal/jobUsers.ts"

const used = {
  passwd: "root:x:0:0:root:/root:/bin/bash\nann:x:61000:61000::/home/ann:/bin/sh\nbroken\n",
  group: "root:x:0:\nstaff:x:62000:ann\n",
  delegated: "ann:100000:65536\nann:200000:65536\n",
  mapped: "         0          0 4294967295\n",
  directoryOwner: 63_000
}
const Id = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 70_000 }))
const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))

describe("user ids for jobs", () => {
  it.prop("are refused exactly when one of them is used", [Id, Count], ([first, count]) => {
    const holds = (id: number) => id >= first && id < first + count
    const isUsed = [61_000, 62_000, 63_000, 65_535].some(holds)
    assert.strictEqual(unfitness({ first, count }, used) !== undefined, isUsed)
  })

  it("are refused with what they are used for", () => {
    const reason = (first: number, count = 1, more: object = {}) => unfitness({ first, count }, { ...used, ...more })
    assert.include(reason(60_999, 2), "61000 is the user ann")
    assert.include(reason(62_000), "62000 is the group staff")
    assert.include(reason(99_990, 20), "containers of ann")
    assert.include(reason(265_535), "containers of ann")
    assert.isUndefined(reason(265_536))
    assert.include(reason(63_000), "63000 owns the directory of the jobs")
    assert.include(reason(65_000, 600, { mapped: "0 100000 65536\n" }), "65535 stands for no user")
    assert.include(reason(70_000, 1, { mapped: "0 100000 65536\n" }), "exist in this container")
    assert.isUndefined(reason(65_000, 500, { mapped: "0 100000 65536\n" }))
  })

  it("may have accounts that were made for jobs", () => {
    const passwd = "fairlead-61000:x:61000:61000::/nonexistent:/bin/sh\n"
    assert.isUndefined(unfitness({ first: 61_000, count: 1 }, { ...used, passwd }))
  })
})

describe("accounts of jobs", () => {
  it("name each id once before the machine's own accounts, which stay", () => {
    const { group, passwd } = accounts({ first: 61_500, count: 2 }, "/tmp/work", used)
    const lines = passwd.split("\n")
    assert.deepStrictEqual(lines.slice(0, 2), [
      "fairlead-61500:x:61500:61500:a job of Fairlead:/tmp/work:/bin/sh",
      "fairlead-61501:x:61501:61501:a job of Fairlead:/tmp/work:/bin/sh"
    ])
    assert.include(lines, "root:x:0:0:root:/root:/bin/bash")
    assert.deepStrictEqual(group.split("\n").slice(0, 3), [
      "fairlead-61500:x:61500:",
      "fairlead-61501:x:61501:",
      "root:x:0:"
    ])
  })

  it("name the number 0 of a user namespace before root", () => {
    const { passwd } = accounts(undefined, "/tmp/work", used)
    assert.match(passwd, /^fairlead:x:0:0:[^\n]*:\/tmp\/work:\/bin\/sh\nroot:x:0:0:/)
  })
})
