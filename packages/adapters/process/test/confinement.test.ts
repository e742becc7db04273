import { assert, it, describe as suite } from "@effect/vitest"
import { claims } from "../src/internal/claims.ts"
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

  const own = { first: 1, count: 2 }
  it.each([
    ["namespaceUids", { level: "namespace", hostIsRoot: true, uids: own }],
    ["namespaceRoot", { level: "namespace", hostIsRoot: true, uids: undefined }],
    ["namespaceUser", { level: "namespace", hostIsRoot: false, uids: undefined }],
    ["basicUids", { level: "basic", hostIsRoot: true, uids: own }],
    ["basicUser", { level: "basic", hostIsRoot: false, uids: undefined }]
  ] as const)("claims what is proved of %s, and nothing else", (situation, how) => {
    const said = describe({ confinement: { ...confinement, ...how }, obstacles: [] })
    for (const { holds, word } of Object.values(claims))
      assert.strictEqual(
        said.includes(word),
        holds.some((each) => each === situation),
        `${word} in ${said}`
      )
  })
})
