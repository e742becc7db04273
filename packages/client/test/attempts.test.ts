import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { type AttemptFailed, FairleadClient, type LogOptions, type OutputFrame } from "@fairlead/client"
import { vi } from "vitest"
import { baseUrl, clientOf, eventually, failureOf, startHost, type TestHost } from "./support/TestHost.ts"

let host: TestHost
let client: FairleadClient
let key: string
let id: string
const retry = { max_attempts: 3, backoff_seconds: 0, on: ["script_error" as const] }
const script = "out try\nhex stdout fffe\nerr oh\nexit 7"
const once = [...new TextEncoder().encode("try\n"), 0xff, 0xfe]

beforeAll(async () => {
  host = await startHost()
  client = await clientOf(host, "anna")
  key = (await client.auth.createApiKey({ name: "test" })).key
  id = (await client.run({ script, retry })).execution_id
})
afterAll(() => host.stop())
afterEach(() => {
  vi.restoreAllMocks()
})

const read = async (options: LogOptions, by = client) => {
  const bytes: Array<number> = []
  const attempts: Array<number> = []
  for await (const chunk of by.executions.logs(id, { ...options, onAttempt: (n) => attempts.push(n) }))
    bytes.push(...chunk)
  return { bytes, attempts }
}

describe("an execution that is tried again", () => {
  it("is run to its last attempt, each told with its output and its failure", async () => {
    const failed: Array<AttemptFailed> = []
    const statuses: Array<string> = []
    const outputs: Array<OutputFrame> = []
    const result = await client.run({
      script: `hold\n${script}`,
      retry,
      onAccepted: () => void host.release(),
      onStatus: (status) => statuses.push(status),
      onAttemptFailed: (event) => failed.push(event),
      onOutput: (output) => outputs.push(output)
    })
    assert.deepInclude(result, { status: "failed", attempt: 3, exit_code: 7, stderr: "oh\n" })
    assert.deepStrictEqual(
      failed.map(({ attempt, error_cause }) => [attempt, error_cause]),
      [
        [1, "exit:7"],
        [2, "exit:7"]
      ]
    )
    for (const attempt of [1, 2, 3]) {
      const text = outputs.flatMap((output) =>
        output.attempt === attempt && output.stream === "stderr" ? [output.text] : []
      )
      assert.strictEqual(text.join(""), "oh\n")
    }
    assert.deepStrictEqual(
      outputs.map(({ attempt }) => attempt),
      outputs.map(({ attempt }) => attempt).toSorted()
    )
    assert.isAtLeast(statuses.filter((status) => status === "running").length, 2)
    assert.strictEqual(statuses.at(-1), "failed")
  })

  it("has a list of attempts, and a result of each", async () => {
    const { attempts } = await client.executions.attempts(id)
    assert.deepStrictEqual(
      attempts.map(({ attempt, status }) => [attempt, status]),
      [
        [1, "failed"],
        [2, "failed"],
        [3, "failed"]
      ]
    )
    assert.deepInclude(await client.executions.attemptResult(id, 2), { attempt: 2, exit_code: 7, stderr: "oh\n" })
  })

  it("has its logs read: the last attempt, one of them, or from one on", async () => {
    assert.deepStrictEqual(await read({}), { bytes: once, attempts: [3] })
    assert.deepStrictEqual(await read({ attempt: 1 }), { bytes: once, attempts: [1] })
    assert.deepStrictEqual(await read({ attempt: 2, follow: true, offset: 4 }), { bytes: [0xff, 0xfe], attempts: [2] })
    const error = await failureOf(read({ attempt: 4 }))
    assert.isTrue(error.is("ATTEMPT_NOT_FOUND") && error.problem.attempts === 3)
  })

  it("has its logs followed from one attempt to the next, until it ends", async () => {
    const fresh = await startHost()
    const anna = await clientOf(fresh, "anna")
    const { execution_id } = await anna.executions.submit({ script: `out begun\nhold\n${script}`, retry })
    let seen = ""
    const attempts: Array<number> = []
    const onAttempt = (attempt: number) => attempts.push(attempt)
    for await (const chunk of anna.executions.logs(execution_id, { follow: true, stream: "stdout", onAttempt })) {
      seen += Buffer.from(chunk).toString("latin1")
      if (seen === "begun\n") await fresh.release()
    }
    assert.strictEqual(seen, "begun\ntry\n\u00ff\u00fe".repeat(3))
    assert.deepStrictEqual(attempts, [1, 2, 3])
    await fresh.stop()
  })

  it("has the same logs wherever the connection is cut, though another attempt followed meanwhile", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0)
    for (let cut = 0; cut <= once.length; cut++) {
      let answers = 0
      const cutting = new FairleadClient({
        baseUrl,
        auth: { kind: "apiKey", key },
        fetch: async (request) => {
          // The first answer is one of a time when there was one attempt only.
          const first = request.url.includes("/logs?") && answers++ === 0
          if (!first) return host.fetch(request)
          const url = new URL(request.url)
          url.searchParams.set("attempt", "1")
          const answer = await host.fetch(new Request(url, request))
          const bytes = new Uint8Array(await answer.arrayBuffer()).slice(0, cut)
          const body = new ReadableStream({
            pull: (controller) => {
              if (bytes.length > 0) controller.enqueue(bytes)
              controller.error(new TypeError("terminated"))
            }
          })
          return new Response(body, answer)
        }
      })
      const got = await read({ follow: true }, cutting)
      assert.deepStrictEqual(got, { bytes: [...once, ...once, ...once], attempts: [1, 2, 3] }, `cut after ${cut} bytes`)
    }
  })
})

describe("the queue", () => {
  it("can be looked at, reordered, paused and resumed by who may", async () => {
    const { execution_id } = await client.executions.submit({ script: "hang", concurrency_key: "k" })
    await eventually(async () => (await client.queue.get(execution_id)).state === "assigned")
    const { execution_id: second } = await client.executions.submit({ script: "out done", concurrency_key: "k" })
    const { entries, total } = await client.queue.list({ state: "blocked" })
    assert.deepStrictEqual([entries[0]?.execution_id, total], [second, 1])
    assert.strictEqual((await client.queue.get(second)).queue.state, "blocked")
    assert.deepStrictEqual((await client.queue.pauses()).pauses, [])
    for (const refused of [
      client.queue.reprioritise(second, 0),
      client.queue.pause({ reason: "upgrade" }),
      client.queue.resume(),
      client.instances.list()
    ])
      assert.strictEqual((await failureOf(refused)).code, "FORBIDDEN")
    await client.executions.cancel(execution_id)
    assert.strictEqual((await client.executions.result(second, { waitSeconds: 20 })).stdout, "done\n")
  })
})
