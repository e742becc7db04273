import { assert, it, describe as suite } from "@effect/vitest"
import { describe } from "../src/internal/confinement.ts"
import { unconfined } from "./fixtures.ts"

suite("what is said of the isolation", () => {
  const confinement = {
    level: "basic",
    hostIsRoot: true,
    hidden: ["/srv/data"],
    uids: { first: 1, count: 2 },
    ...unconfined
  } as const

  it("holds nothing that the system said: callers without a credential read it", () => {
    const obstacles = ["namespace: Error: EACCES: permission denied, mkdir '/srv/data/jobs'"]
    assert.notInclude(describe({ confinement, obstacles }), "/srv")
    assert.strictEqual(describe({ confinement, obstacles }), describe({ confinement, obstacles: [] }))
    assert.notInclude(describe({ confinement: { ...confinement, memoryGroups: "/srv/groups" }, obstacles }), "/srv")
  })

  it("calls the host's user unsafe", () => {
    const said = (hidden: ReadonlyArray<string>) =>
      describe({
        confinement: { ...confinement, level: "namespace", hostIsRoot: false, uids: undefined, hidden },
        obstacles: []
      })
    assert.include(said([]), "unsafe: jobs run as the host's user")
  })
})
