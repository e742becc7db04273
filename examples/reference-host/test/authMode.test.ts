import { assert, describe, it } from "vitest"
import { startHost } from "./support/HostProcess.ts"

const environment = { FAIRLEAD_AUTH_MODE: "disabled" }

describe("a host with authentication disabled", () => {
  it("runs a script for whoever is on this machine, and says so", async () => {
    const host = await startHost({ environment })
    try {
      assert.include(host.output(), "disabled: every program on this machine")
      const capabilities = await (await fetch(`${host.url}/api/v1/capabilities`)).json()
      assert.strictEqual(capabilities.auth_mode, "disabled")
      const submitted = await fetch(`${host.url}/api/v1/execute`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ script: "echo hello", lang: "bash", lang_version: "latest" })
      })
      assert.strictEqual(submitted.status, 200)
      const { execution_id } = await submitted.json()
      const stream = await (await fetch(`${host.url}/api/v1/events/executions/${execution_id}`)).text()
      assert.include(stream, '"event_type":"result_stored"')
      const result = await (await fetch(`${host.url}/api/v1/result/${execution_id}`)).json()
      assert.deepInclude(result, { status: "completed", stdout: "hello\n" })
      assert.strictEqual((await fetch(`${host.url}/api/v1/auth/me`)).status, 401)
      const guess = { authorization: "Bearer guess" }
      assert.strictEqual((await fetch(`${host.url}/api/v1/executions`, { headers: guess })).status, 401)
    } finally {
      await host.stop()
    }
  }, 30_000)

  it.each(["0.0.0.0", "::", "192.0.2.1", "127.evil.example"])(
    "does not start on %s",
    async (FAIRLEAD_HOST) => {
      const refused = await startHost({ environment: { ...environment, FAIRLEAD_HOST } }).then(
        () => "started",
        (error: Error) => error.message
      )
      assert.include(refused, "FAIRLEAD_AUTH_MODE is disabled")
      assert.include(refused, "set FAIRLEAD_HOST to 127.0.0.1")
    },
    30_000
  )
})
