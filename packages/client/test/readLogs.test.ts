import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { FairleadClient, type LogOptions } from "@fairlead/client"
import { vi } from "vitest"
import { baseUrl, clientOf, eventually, failureOf, startHost, type TestHost } from "./support/TestHost.ts"

let host: TestHost
let client: FairleadClient
let key: string
let id: string
beforeAll(async () => {
  host = await startHost()
  client = await clientOf(host, "anna")
  key = (await client.auth.createApiKey({ name: "test" })).key
  const result = await client.run({ script: "out one\nhex stdout fffe00\nout two\nerr oh" })
  id = result.execution_id
})
afterAll(() => host.stop())
afterEach(() => {
  vi.restoreAllMocks()
})

const expected = [...new TextEncoder().encode("one\n"), 0xff, 0xfe, 0, ...new TextEncoder().encode("two\n")]
const collect = async (chunks: AsyncIterable<Uint8Array>) => {
  const all: Array<number> = []
  for await (const chunk of chunks) all.push(...chunk)
  return all
}
const read = (options?: LogOptions) => collect(client.executions.logs(id, options))

describe("readLogs", () => {
  it("reads the exact bytes of one stream", async () => {
    assert.deepStrictEqual(await read(), expected)
    assert.deepStrictEqual(await read({ stream: "stderr" }), [...new TextEncoder().encode("oh\n")])
    assert.deepStrictEqual(await read({ follow: true }), expected)
  })

  it("reads a part, and fails behind the end", async () => {
    assert.deepStrictEqual(await read({ offset: 2, limit: 4 }), expected.slice(2, 6))
    assert.deepStrictEqual(await read({ offset: 2, limit: 4, follow: true }), expected.slice(2, 6))
    assert.deepStrictEqual(await read({ offset: expected.length }), [])
    const error = await failureOf(read({ offset: expected.length + 1 }))
    assert.isTrue(error.is("OFFSET_BEYOND_END") && error.problem.size === expected.length)
  })

  it("reads the same wherever the connection is cut", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0)
    for (const follow of [false, true])
      for (let cut = 0; cut <= expected.length; cut++) {
        let answers = 0
        const cutting = new FairleadClient({
          baseUrl,
          auth: { kind: "apiKey", key },
          fetch: async (request) => {
            const answer = await host.fetch(request)
            if (!request.url.includes("/logs?") || answers++ > 0) return answer
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
        const got = await collect(cutting.executions.logs(id, { follow }))
        assert.deepStrictEqual(got, expected, `cut after ${cut} bytes`)
      }
  })

  it("follows a script that runs, until it ends", async () => {
    const fresh = await startHost()
    const anna = await clientOf(fresh, "anna")
    const { execution_id } = await anna.executions.submit({ script: "out first\nhold\nout last" })
    let seen = ""
    for await (const chunk of anna.executions.logs(execution_id, { follow: true })) {
      seen += new TextDecoder().decode(chunk)
      if (seen === "first\n") await fresh.release()
    }
    assert.strictEqual(seen, "first\nlast\n")
    await fresh.stop()
  })

  it("follows one that has not begun, and ends when the caller says so", async () => {
    const { execution_id } = await client.executions.submit({ script: "hold" })
    const abort = new AbortController()
    const reading = failureOf(collect(client.executions.logs(execution_id, { follow: true, signal: abort.signal })))
    await eventually(async () => (await client.health.streams()).active_connections > 0)
    abort.abort()
    assert.strictEqual((await reading).code, "ABORTED")
    await client.executions.cancel(execution_id)
  })
})
