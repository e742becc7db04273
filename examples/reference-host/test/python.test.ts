/** The Python of scripts as the settings of a host have it. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"

let host: HostProcess
let caller: Caller
beforeAll(async () => {
  host = await startHost({
    environment: { FAIRLEAD_PROCESS_PYTHON: "/usr/bin/python3", FAIRLEAD_PROCESS_PYTHON_ISOLATION: "off" }
  })
  caller = await logIn(host.url)
}, 60_000)
afterAll(() => host.stop())

describe("a host with a Python of its own choice, without isolated mode", () => {
  it("runs scripts with that one, which import what lies beside them", { timeout: 60_000 }, async () => {
    const script =
      "import sys\nwith open('beside.py', 'w') as file: file.write('word = 42')\nimport beside\nprint(sys.executable, sys.flags.isolated, sys.flags.dev_mode, beside.word)"
    const body = { script, lang: "python", lang_version: "3", env: { PYTHONDEVMODE: "1" } }
    const { execution_id: id } = await caller.call("POST", "/executions", body)
    const result = await caller.call("GET", `/executions/${id}/result?wait_seconds=30`)
    assert.deepInclude(result, { stdout: "/usr/bin/python3 0 True 42\n", stderr: "" })
    const capabilities = await caller.call("GET", "/capabilities")
    assert.nestedProperty(capabilities, "languages.python[0]")
    assert.notNestedProperty(capabilities, "languages.python[1]")
  })
})
