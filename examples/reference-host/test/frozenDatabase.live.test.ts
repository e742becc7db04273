/** A database that hangs: its connections stay open, and nothing comes through them. Every request is answered all the same. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type FreezableProxy, freezableProxy } from "./support/freezableProxy.ts"
import { adminPassword, type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"
import { onServer, server } from "./support/testDatabase.ts"

const name = `fairlead_frozen_${process.pid}`
const deadlineMillis = 3_000

describe.skipIf(server === undefined)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  let proxy: FreezableProxy
  let host: HostProcess
  let caller: Caller
  let id: string

  beforeAll(async () => {
    await onServer(`create database ${name}`)
    const url = new URL(server ?? "")
    proxy = await freezableProxy(url.hostname, Number(url.port || 5432))
    url.hostname = "127.0.0.1"
    url.port = `${proxy.port}`
    url.pathname = `/${name}`
    const environment = { DATABASE_URL: url.href, FAIRLEAD_REQUEST_SECONDS: `${deadlineMillis / 1000}` }
    host = await startHost({ environment: { ...environment, FAIRLEAD_LOG_LEVEL: "Error" } })
    caller = await logIn(host.url)
    id = `${(await caller.call("POST", "/executions", script("import time\ntime.sleep(300)")))["execution_id"]}`
  }, 60_000)
  afterAll(async () => {
    proxy?.thaw()
    await host?.stop()
    proxy?.close()
    await onServer(`drop database ${name} with (force)`)
  }, 60_000)

  const script = (text: string) => ({ script: text, lang: "python", lang_version: "3" })
  const ask = async (method: string, path: string, body?: unknown, headers: Caller["headers"] = caller.headers) => {
    const began = performance.now()
    const response = await fetch(`${host.url}/api/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000)
    })
    const text = await response.text()
    const retryAfter = response.headers.get("retry-after")
    return { status: response.status, text, retryAfter, tookMillis: performance.now() - began, path }
  }

  it("keeps no request waiting beyond its deadline, says so with 503, and is over when it goes on", async () => {
    proxy.freeze()
    const anonymous = { "content-type": "application/json" }
    const each = () => [
      ask("GET", "/auth/api-keys"),
      ask("GET", "/executions"),
      ask("GET", `/executions/${id}`),
      ask("GET", `/executions/${id}/result`),
      ask("GET", `/executions/${id}/result?wait_seconds=1`),
      ask("GET", `/executions/${id}/logs`),
      ask("GET", `/executions/${id}/stream`),
      ask("GET", "/queue"),
      ask("GET", "/sagas/stuck"),
      ask("POST", "/executions", script("print(1)")),
      ask("POST", `/executions/${id}/cancel`, {}),
      ask("POST", "/auth/login", { username: "admin", password: adminPassword }, anonymous)
    ]
    for (let round = 0; round < 2; round++) {
      // More than there are connections to the database, so that some wait for one.
      const answers = await Promise.all([...each(), ...each(), ...each()])
      for (const { path, retryAfter, status, text, tookMillis } of answers) {
        assert.deepStrictEqual([status, retryAfter], [503, "1"], `${path}: ${text}`)
        const boundMillis = deadlineMillis + (path.includes("wait_seconds") ? 1_000 : 0) + 2_000
        assert.isBelow(tookMillis, boundMillis, path)
      }
    }
    const [live, ready] = await Promise.all([ask("GET", "/health/live"), ask("GET", "/health/ready")])
    assert.strictEqual(live.status, 200)
    assert.isBelow(live.tookMillis, 1_000)
    assert.strictEqual(ready.status, 503)
    assert.match(ready.text, /no answer within 2 s|cannot be reached/)

    proxy.thaw()
    const until = async (what: string, path: string) => {
      for (const end = performance.now() + 30_000; performance.now() < end; ) {
        const answer = await ask("GET", path)
        if (answer.status === 200) return
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      assert.fail(`not within 30 s: ${what}`)
    }
    await until("it is ready", "/health/ready")
    await until("it looks things up", `/executions/${id}`)
    const { result } = JSON.parse((await ask("POST", "/executions?wait_seconds=20", script("print('well')"))).text)
    assert.deepInclude(result, { status: "completed", stdout: "well\n" })
  }, 90_000)
})
