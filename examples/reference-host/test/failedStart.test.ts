/** A start that fails says why once, in a line that somebody can act on. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, it } from "vitest"
import { assertSaid } from "./support/failedStart.ts"
import { type HostOptions, startHost } from "./support/HostProcess.ts"
import { isRoot, nobody } from "./support/ways.ts"

const folder = mkdtempSync(join(tmpdir(), "fairlead-failed-start-"))
const file = join(folder, "file")
const damaged = join(folder, "damaged")
const taken = createServer()
const portOf = () => {
  const address = taken.address()
  return `${typeof address === "object" ? address?.port : 0}`
}
beforeAll(async () => {
  writeFileSync(file, "")
  mkdirSync(join(damaged, "database"), { recursive: true })
  writeFileSync(join(damaged, "database", "PG_VERSION"), "junk")
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
})
afterAll(() => {
  taken.close()
  rmSync(folder, { recursive: true, force: true })
})

const failure = (environment: Record<string, string>, more: HostOptions = {}) =>
  startHost({ environment, dataDir: environment["FAIRLEAD_DATA_DIR"] ?? join(folder, "data"), ...more }).then(
    (host) => host.stop().then(() => "started"),
    (error: Error) => error.message
  )

describe("a start that fails", () => {
  it.each([
    ["a port that is taken", () => ({ FAIRLEAD_PORT: portOf() }), ["another program uses it", "FAIRLEAD_PORT"]],
    ["an address of another machine", () => ({ FAIRLEAD_HOST: "192.0.2.77" }), ["no such address", "FAIRLEAD_HOST"]],
    ["a data folder that is a file", () => ({ FAIRLEAD_DATA_DIR: file }), ["not a directory", "FAIRLEAD_DATA_DIR"]],
    [
      "a database that is none",
      () => ({ FAIRLEAD_DATA_DIR: damaged }),
      ["the database cannot be used", "damaged/database"]
    ],
    [
      "no database server",
      () => ({ DATABASE_URL: "postgres://u:hunter2@127.0.0.1:1/d" }),
      ["no server listens", "DATABASE_URL"]
    ],
    [
      "a Python that is not there",
      () => ({ FAIRLEAD_PROCESS_PYTHON: "/nowhere/python3" }),
      ["/nowhere/python3 does not exist", "Set FAIRLEAD_PROCESS_PYTHON"]
    ],
    ["an address that is none", () => ({ DATABASE_URL: "hunter2" }), ["DATABASE_URL is not an address"]],
    [
      "a variable of an earlier version",
      () => ({ FAIRLEAD_HOST_GONE_SECONDS: "60" }),
      ["FAIRLEAD_HOST_GONE_SECONDS is called FAIRLEAD_NODE_TIMEOUT_SECONDS now"]
    ],
    ["a name that is none", () => ({ FAIRLEAD_ADMIN_USERNAME: "a b" }), ["FAIRLEAD_ADMIN_USERNAME is not valid"]]
  ] as const)(
    "names %s and what to do, once",
    async (_, environment, words) => assertSaid(await failure(environment()), words),
    60_000
  )

  it("does not run scripts as the host's user unless that is said", { timeout: 60_000 }, async () => {
    const own = join(folder, "own")
    mkdirSync(own)
    chmodSync(folder, 0o711)
    const off = { FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER: "off" }
    const output = await failure(off, { dataDir: own, ...(isRoot ? { uid: nobody } : {}) })
    assertSaid(output, ["as the user of the host", "FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER=on"])
  })

  it.skipIf(!isRoot).each([
    ["of a user", "65534-65540", ["65534 is the user nobody", "Set FAIRLEAD_PROCESS_UIDS"]],
    ["of root", "0-10", ["FAIRLEAD_PROCESS_UIDS is not valid"]],
    ["too many", "70000-99999", ["FAIRLEAD_PROCESS_UIDS is not valid", "at most 1000"]]
  ] as const)("does not run scripts under ids %s", { timeout: 60_000 }, async (_, uids, words) =>
    assertSaid(await failure({ FAIRLEAD_PROCESS_UIDS: uids }), words)
  )

  it.skipIf(!isRoot)("says which folder keeps the users of scripts out", { timeout: 60_000 }, async () => {
    const closed = join(folder, "closed")
    mkdirSync(closed, { mode: 0o700 })
    // Without this capability there are no namespaces.
    const through = ["setpriv", "--bounding-set", "-sys_admin"]
    assertSaid(await failure({}, { dataDir: join(closed, "data"), through }), [
      `cannot pass through ${closed}`,
      "chmod o+x"
    ])
  })
})
