/** A start that fails says why once, in a line that somebody can act on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { startHost } from "./support/HostProcess.ts"

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

const failure = (environment: Record<string, string>) =>
  startHost({ environment, dataDir: environment["FAIRLEAD_DATA_DIR"] ?? join(folder, "data") }).then(
    () => "started",
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
    ["an address that is none", () => ({ DATABASE_URL: "hunter2" }), ["DATABASE_URL is not an address"]],
    ["a name that is none", () => ({ FAIRLEAD_ADMIN_USERNAME: "a b" }), ["FAIRLEAD_ADMIN_USERNAME is not valid"]]
  ] as const)(
    "names %s and what to do, once",
    async (_, environment, words) => {
      const output = await failure(environment())
      const lines = output.split("\n").filter((line) => line.includes("fairlead:"))
      assert.strictEqual(lines.length, 1, output)
      for (const word of words) assert.include(output, word)
      assert.notInclude(output, "hunter2")
      assert.notMatch(output, /^\s+at /m)
    },
    60_000
  )
})
