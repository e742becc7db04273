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
  })

  it("claims a hidden data directory only where one is hidden, and calls the host's user unsafe", () => {
    const said = (hidden: ReadonlyArray<string>) =>
      describe({
        confinement: { ...confinement, level: "namespace", hostIsRoot: false, uids: undefined, hidden },
        obstacles: []
      })
    assert.include(said(["/srv/jobs", "/srv"]), "hidden data directory")
    assert.notInclude(said(["/srv/jobs"]), "data directory")
    assert.include(said([]), "unsafe: jobs run as the host's user")
  })
})
