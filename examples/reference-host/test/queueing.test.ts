import { assert, describe, it } from "vitest"
import { logIn, startHost } from "./support/HostProcess.ts"

const settings = {
  FAIRLEAD_MAX_RUNNING_PER_USER: "1",
  FAIRLEAD_MAX_RUNNING_PER_RUNTIME: "process=5,docker=2",
  FAIRLEAD_QUEUE_TTL_SECONDS: "60",
  FAIRLEAD_QUEUE_AGEING_SECONDS: "7"
}

describe("a host with settings of the queue", () => {
  it("keeps them", async () => {
    const host = await startHost({ environment: settings })
    try {
      const caller = await logIn(host.url)
      const submit = async (script: string, priority: number) => {
        const body = { script, lang: "bash", lang_version: "latest", priority }
        const { execution_id: id } = await caller.call("POST", "/executions", body)
        return `${id}`
      }
      const running = await submit("sleep 600", 5)
      while ((await caller.call("GET", `/queue/${running}`))["state"] !== "assigned");
      const waiting = await submit("echo second", 3)
      const entry = await caller.call("GET", `/queue/${waiting}`)
      assert.deepInclude(entry, { state: "waiting", priority: 3 })
      const execution = await caller.call("GET", `/executions/${waiting}`)
      const between = (answer: Record<string, unknown>, from: string, to: string) =>
        Date.parse(`${answer[to]}`) - Date.parse(`${answer[from]}`)
      assert.strictEqual(between(entry, "queued_at", "rank_at"), 21_000)
      assert.strictEqual(between(execution, "created_at", "expires_at"), 60_000)
      await caller.call("POST", `/executions/${running}/cancel`, {})
      const result = await caller.call("GET", `/executions/${waiting}/result?wait_seconds=20`)
      assert.deepInclude(result, { status: "completed", stdout: "second\n" })
    } finally {
      await host.stop()
    }
  }, 60_000)

  it.each([
    ["FAIRLEAD_MAX_RUNNING_PER_USER", "0"],
    ["FAIRLEAD_MAX_RUNNING_PER_RUNTIME", "process=many"],
    ["FAIRLEAD_MAX_RUNNING_PER_RUNTIME", "lunch=1"],
    ["FAIRLEAD_QUEUE_TTL_SECONDS", "604801"]
  ])(
    "does not start with %s=%s",
    async (name, value) => {
      const refused = await startHost({ environment: { [name]: value } }).then(
        () => "started",
        (error: Error) => error.message
      )
      assert.include(refused, name)
    },
    30_000
  )
})
