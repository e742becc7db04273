/** Scripts that leave something in the background, over HTTP. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"

let host: HostProcess
let caller: Caller
beforeAll(async () => {
  host = await startHost()
  caller = await logIn(host.url)
}, 60_000)
afterAll(() => host.stop())

const run = async (script: string, more: object) => {
  const body = { script, lang: "bash", lang_version: "5", ...more }
  const { execution_id: id } = await caller.call("POST", "/executions", body)
  return caller.call("GET", `/executions/${id}/result?wait_seconds=30`)
}
const script = "(sleep 0.5; echo late) & echo over; exit 3"

describe("a script that leaves something in the background", () => {
  it("is over without it", { timeout: 60_000 }, async () => {
    assert.deepInclude(await run(script, {}), { status: "failed", exit_code: 3, stdout: "over\n" })
  })

  it("is over after it if the request says so", { timeout: 60_000 }, async () => {
    const result = await run(script, { wait_for_background: true })
    assert.deepInclude(result, { status: "failed", exit_code: 3, stdout: "over\nlate\n" })
  })

  it("waits for it no longer than its timeout", { timeout: 60_000 }, async () => {
    const result = await run("sleep 60 & echo over", { wait_for_background: true, timeout_seconds: 1 })
    assert.deepInclude(result, { status: "timeout", exit_code: null, stdout: "over\n" })
  })
})
