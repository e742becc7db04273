import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { FairleadClient, FairleadError } from "@fairlead/client"
import { executionsGet, healthLive } from "@fairlead/client/operations"
import { baseUrl, clientOf, failureOf, startHost, type TestHost } from "./support/TestHost.ts"

let host: TestHost
let client: FairleadClient
beforeAll(async () => {
  host = await startHost()
  client = await clientOf(host, "anna", { headers: { "x-request-id": "test-1" } })
})
afterAll(() => host.stop())

const missing = "019a0000-0000-7000-9000-000000000001"
const answering = (answer: () => Response | Promise<Response>) =>
  new FairleadClient({ baseUrl, retries: 0, fetch: async () => answer() })

describe("FairleadError", () => {
  it("carries what the problem says", async () => {
    const error = await failureOf(client.executions.get(missing))
    assert.deepInclude(error, {
      code: "EXECUTION_NOT_FOUND",
      status: 404,
      requestId: "test-1",
      retryAfterSeconds: undefined
    })
    assert.strictEqual(error.message, `EXECUTION_NOT_FOUND: ${error.detail}`)
    assert.isFalse(error.retryable)
    assert.isTrue(error.is("EXECUTION_NOT_FOUND") && error.problem.execution_id === missing)
    assert.isFalse(error.is("NOT_FOUND"))
  })

  it("says which field of a request is wrong", async () => {
    const error = await failureOf(client.executions.submit({ script: "x", priority: 11 }))
    assert.strictEqual(error.code, "REQUEST_INVALID")
    assert.deepStrictEqual(
      error.issues.map(({ path }) => path),
      [["payload", "priority"]]
    )
  })

  it("is UNEXPECTED for the page of a proxy, whatever its status", async () => {
    const page = { headers: { "content-type": "text/html" } }
    const bad = await failureOf(
      answering(() => new Response("<h1>Bad gateway</h1>", { ...page, status: 502 })).auth.me()
    )
    assert.deepInclude(bad, { code: "UNEXPECTED", status: 502, problem: undefined })
    assert.isTrue(bad.retryable)
    const json = { headers: { "content-type": "application/json" } }
    const torn = await failureOf(answering(() => new Response('{"username":', json)).auth.me())
    assert.deepInclude(torn, { code: "UNEXPECTED", status: 0 })
  })

  it("is NETWORK when no answer comes or it breaks off", async () => {
    const none = await failureOf(answering(() => Promise.reject(new TypeError("fetch failed"))).auth.me())
    assert.deepInclude(none, { code: "NETWORK", status: 0 })
    assert.instanceOf(none.cause, TypeError)
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode("{"))
        controller.error(new TypeError("terminated"))
      }
    })
    const json = { headers: { "content-type": "application/json" } }
    assert.strictEqual((await failureOf(answering(() => new Response(body, json)).auth.me())).code, "NETWORK")
  })

  it("is TIMEOUT when the answer takes too long, be it the body", async () => {
    const silent = new FairleadClient({ baseUrl, timeoutMs: 10, fetch: () => new Promise(() => undefined) })
    assert.strictEqual((await failureOf(silent.auth.me())).code, "TIMEOUT")
    const endless = new Response(new ReadableStream(), { headers: { "content-type": "application/json" } })
    const slow = new FairleadClient({ baseUrl, timeoutMs: 10, fetch: async () => endless })
    assert.strictEqual((await failureOf(slow.auth.me())).code, "TIMEOUT")
  })

  it("waits as much longer as it asks the server to wait", async () => {
    const patient = await clientOf(host, "paul", { timeoutMs: 500 })
    const { execution_id } = await patient.executions.submit({ script: "hold" })
    const result = await patient.executions.result(execution_id, { waitSeconds: 1 })
    assert.isNull(result.exit_code)
    await patient.executions.cancel(execution_id)
  })

  it("is ABORTED when the caller says so, before or during the call", async () => {
    const abort = new AbortController()
    const waiting = failureOf(answering(() => new Promise(() => undefined)).auth.me({ signal: abort.signal }))
    abort.abort("enough")
    assert.deepInclude(await waiting, { code: "ABORTED", cause: "enough" })
    assert.strictEqual((await failureOf(client.auth.me({ signal: AbortSignal.abort() }))).code, "ABORTED")
  })
})

describe("operations", () => {
  it("answer with the body and throw the same errors", async () => {
    assert.strictEqual((await healthLive({ client: client.http })).status, "ok")
    const call = executionsGet({ client: client.http, path: { execution_id: missing } })
    assert.strictEqual((await failureOf(call)).code, "EXECUTION_NOT_FOUND")
  })

  it("throw it for an address that is none", async () => {
    const nowhere = new FairleadClient({ baseUrl: "http://", fetch: host.fetch })
    assert.instanceOf(await failureOf(nowhere.health.live()), FairleadError)
  })
})
