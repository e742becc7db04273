import { assert, it, describe as suite } from "@effect/vitest"
import { describe } from "../src/internal/confinement.ts"
import { unconfined } from "./fixtures.ts"

suite("what is said of the isolation", () => {
  it("holds nothing that the system said: callers without a credential read it", () => {
    const confinement = {
      level: "basic",
      hostIsRoot: true,
      hidden: ["/srv/data"],
      uids: { first: 1, count: 2 },
      ...unconfined
    } as const
    const obstacles = ["namespace: Error: EACCES: permission denied, mkdir '/srv/data/jobs'"]
    assert.notInclude(describe({ confinement, obstacles }), "/srv")
    assert.strictEqual(describe({ confinement, obstacles }), describe({ confinement, obstacles: [] }))
    assert.notInclude(describe({ confinement: { ...confinement, memoryGroups: "/srv/groups" }, obstacles }), "/srv")
  })
})
