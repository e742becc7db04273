import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { ExecutionResponse, FairleadClient } from "@fairlead/client"
import { clientOf, eventually, failureOf, startHost, type TestHost, watched } from "./support/TestHost.ts"

let host: TestHost
let client: FairleadClient
beforeAll(async () => {
  host = await startHost()
  client = await clientOf(host, "anna")
})
afterAll(() => host.stop())

/** The execution's result once it has ended. */
const endOf = (executionId: string) => client.executions.result(executionId, { waitSeconds: 10 })

describe("run", () => {
  it("answers with the result, and tells the output on the way", async () => {
    const told: Array<string> = []
    const result = await client.run({
      script: "out one\nerr two\nexit 3",
      lang: "bash",
      lang_version: "5.2",
      onStatus: (status) => told.push(status),
      onOutput: ({ stream, text }) => told.push(`${stream} ${text}`)
    })
    assert.deepInclude(result, { status: "failed", exit_code: 3, stdout: "one\n", stderr: "two\n", lang: "bash" })
    assert.deepStrictEqual(told.filter((line) => line.startsWith("std")).sort(), ["stderr two\n", "stdout one\n"])
    assert.strictEqual(told.at(-1), "failed")
  })

  it("tells output while the script still runs", async () => {
    const fresh = await startHost()
    const anna = await clientOf(fresh, "anna")
    let accepted: ExecutionResponse | undefined
    let running: string | undefined
    const result = await anna.run({
      script: "out first\nhold\nout last",
      onAccepted: (execution) => {
        accepted = execution
      },
      onOutput: ({ text }) => {
        if (text !== "first\n" || accepted === undefined) return
        anna.executions.get(accepted.execution_id).then(({ status }) => {
          running = status
          return fresh.release()
        })
      }
    })
    assert.deepStrictEqual([running, result.stdout], ["running", "first\nlast\n"])
    await fresh.stop()
  })

  it("cancels the execution when the signal says so", async () => {
    const abort = new AbortController()
    let id = ""
    const running = client.run({
      script: "out 1\nhold",
      signal: abort.signal,
      onAccepted: ({ execution_id }) => {
        id = execution_id
      },
      onOutput: () => abort.abort("enough")
    })
    assert.deepInclude(await failureOf(running), { code: "ABORTED", cause: "enough" })
    assert.strictEqual((await endOf(id)).status, "cancelled")
  })

  it("cancels it also when the signal comes before the answer to the submission", async () => {
    const abort = new AbortController()
    const slow = await clientOf(host, "sara", {
      fetch: async (request) => {
        const answer = await host.fetch(request)
        if (request.url.endsWith("/executions") && request.method === "POST" && answer.ok) abort.abort()
        return answer
      }
    })
    assert.strictEqual((await failureOf(slow.run({ script: "hold", signal: abort.signal }))).code, "ABORTED")
    await eventually(async () => (await slow.executions.list()).executions[0]?.status === "cancelled")
    assert.strictEqual((await slow.executions.list()).total, 1)
  })

  it("submits nothing for a signal that came before", async () => {
    const { fetch, sent } = watched(host.fetch)
    const early = await clientOf(host, "emil", { fetch })
    sent.length = 0
    assert.strictEqual((await failureOf(early.run({ script: "", signal: AbortSignal.abort() }))).code, "ABORTED")
    assert.deepStrictEqual(sent, [])
  })

  it("cancels it when a callback throws, and throws that", async () => {
    const fault = new Error("the terminal is gone")
    let id = ""
    const running = client.run({
      script: "out 1\nhold",
      onAccepted: ({ execution_id }) => {
        id = execution_id
      },
      onOutput: () => {
        throw fault
      }
    })
    assert.strictEqual(await running.catch((error: unknown) => error), fault)
    assert.strictEqual((await endOf(id)).status, "cancelled")
  })

  it("runs once however often the answer to the submission is lost", async () => {
    let lost = 0
    const unlucky = await clientOf(host, "uma", {
      fetch: async (request) => {
        const answer = await host.fetch(request)
        if (request.method === "POST" && request.url.endsWith("/executions") && answer.ok && lost++ < 2)
          throw new TypeError("fetch failed")
        return answer
      }
    })
    assert.strictEqual((await unlucky.run({ script: "out 1" })).stdout, "1\n")
    assert.deepStrictEqual([(await unlucky.executions.list()).total, lost], [1, 3])
  })

  it("fails with what the host says about the request", async () => {
    const error = await failureOf(client.run({ script: "x", lang: "cobol" }))
    assert.isTrue(error.is("LANGUAGE_UNSUPPORTED") && "python" in error.problem.supported)
  })
})
