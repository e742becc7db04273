/** What belongs to the host and to its caller is closed to scripts, whoever runs the host and whatever the machine offers. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { logIn, startHost } from "./support/HostProcess.ts"
import { ways } from "./support/ways.ts"

const folder = mkdtempSync(join(tmpdir(), "fairlead-closed-"))
chmodSync(folder, 0o711)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Prints every file below the folders given that it can open, and every folder that it can list. */
const script = `import os, sys
for top in sys.argv[1:]:
    names = [os.path.join(at, name) for at, _, files in os.walk(top) for name in files]
    known = [top + "/" + name for name in ("database/PG_VERSION", "database.lock", "keys/jwt-secret", "jobs/node", "jar")]
    for path in set(names + known):
        try:
            open(path, "rb").close()
            print(path)
        except OSError:
            pass
`

describe("the data of the host", () => {
  it.each(ways)("is closed to the scripts of $name", { timeout: 90_000 }, async ({ level, name, options }) => {
    const dataDir = join(folder, name.replaceAll(" ", "-"))
    mkdirSync(dataDir, { mode: 0o711 })
    const jar = join(dataDir, "jar")
    writeFileSync(jar, "a cookie", { mode: 0o600 })
    const host = await startHost({ dataDir, ...options })
    try {
      const caller = await logIn(host.url)
      const { runtimes } = await caller.call("GET", "/capabilities")
      assert.include(JSON.stringify(runtimes), `"isolation":"${level}`)
      const { execution_id: id } = await caller.call("POST", "/executions", {
        script,
        lang: "python",
        lang_version: "3",
        args: [dataDir, `${process.cwd()}/data`]
      })
      const result = await caller.call("GET", `/executions/${id}/result?wait_seconds=30`)
      assert.deepInclude(result, { status: "completed", stderr: "" })
      // The accounts that scripts find are those of the machine and their own.
      const seen = `${result["stdout"]}`.split("\n").filter((path) => !/^$|\/jobs\/(passwd|group)$/.test(path))
      assert.deepStrictEqual(seen, [])
    } finally {
      await host.stop()
    }
  })
})
