/** Limits as the settings of a host have them, and as a script meets them. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"

let host: HostProcess
let caller: Caller
beforeAll(async () => {
  host = await startHost({
    environment: {
      FAIRLEAD_MAX_DISK_MB: "100",
      FAIRLEAD_MAX_OPEN_FILES: "64",
      FAIRLEAD_MAX_PROCESSES: "16",
      FAIRLEAD_MAX_STORED_OUTPUT_MB_PER_USER: "1"
    }
  })
  caller = await logIn(host.url)
}, 60_000)
afterAll(() => host.stop())

const run = async (more: object) => {
  const body = { lang: "python", lang_version: "3", ...more }
  const { execution_id: id } = await caller.call("POST", "/executions", body)
  return caller.call("GET", `/executions/${id}/result?wait_seconds=30`)
}

describe("limits of a host", () => {
  it("bound its defaults, so that who asks for nothing is served", { timeout: 60_000 }, async () => {
    const { execution_id: id } = await caller.call("POST", "/executions", { script: "print(1)", lang_version: "3" })
    const { limits } = await caller.call("GET", `/executions/${id}`)
    assert.deepInclude(limits, { disk_mb: 100, open_files: 64, processes: 16 })
  })

  it("are the most that may be asked for", async () => {
    const answer = await fetch(`${host.url}/api/v1/executions`, {
      method: "POST",
      headers: caller.headers,
      body: JSON.stringify({ script: "", open_files: 65, processes: 17 })
    })
    const { code, limits } = await answer.json()
    assert.deepStrictEqual([answer.status, code], [422, "LIMIT_TOO_HIGH"])
    assert.sameDeepMembers(limits, [
      { limit: "processes", requested: 17, maximum: 16 },
      { limit: "open_files", requested: 65, maximum: 64 }
    ])
  })

  it("are named by the end of a script that met one", { timeout: 60_000 }, async () => {
    const large = await run({ script: "open('large', 'wb').write(bytes(2_000_000))", file_size_mb: 1 })
    assert.deepInclude(large, { error_type: "resource_limit", error_cause: "file_size" })
    const many =
      "import time\nheld = []\ntry:\n  while True: held.append(open('/dev/null'))\nexcept OSError:\n  time.sleep(1.5); raise"
    assert.deepInclude(await run({ script: many, open_files: 32 }), { error_cause: "open_files" })
  })

  it("refuse who keeps as much output as one user may, until something is deleted", { timeout: 60_000 }, async () => {
    const submit = () =>
      fetch(`${host.url}/api/v1/executions`, {
        method: "POST",
        headers: caller.headers,
        body: JSON.stringify({ script: "", lang: "python", lang_version: "3" })
      })
    const small = await run({ script: "print(1)" })
    const large = await run({ script: "import sys\nfor f in sys.stdout, sys.stderr: print('x' * 600_000, file=f)" })
    // After a deletion the host adds up anew.
    await caller.call("DELETE", `/executions/${small["execution_id"]}`)
    const refused = await submit()
    const { code, maximum_bytes } = await refused.json()
    assert.deepStrictEqual([refused.status, code, maximum_bytes], [409, "STORED_OUTPUT_EXHAUSTED", 1024 ** 2])
    await caller.call("DELETE", `/executions/${large["execution_id"]}`)
    assert.strictEqual((await submit()).status, 200)
  })
})
