import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { type ExecutionFrame, FairleadClient, type FollowOptions } from "@fairlead/client"
import { vi } from "vitest"
import { baseUrl, clientOf, eventually, failureOf, startHost, type TestHost } from "./support/TestHost.ts"

let host: TestHost
let client: FairleadClient
let key: string
beforeAll(async () => {
  host = await startHost()
  client = await clientOf(host, "anna")
  key = (await client.auth.createApiKey({ name: "test" })).key
})
afterAll(() => host.stop())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const collect = async (frames: AsyncIterable<ExecutionFrame>) => {
  const all: Array<ExecutionFrame> = []
  for await (const frame of frames) all.push(frame)
  return all
}
const ended = async (script: string) => {
  const { execution_id } = await client.executions.submit({ script })
  await client.executions.result(execution_id, { waitSeconds: 10 })
  return execution_id
}
/** Two outputs, a character of three bytes in two chunks, and bytes that are no UTF-8. */
const script = ["out eins", "err zwei", "hex stdout e282", "hex stdout ac0a", "hex stderr fffe", "exit 3"].join("\n")

/** Follows as the same user, with `stream` in the way of the stream. */
const followThrough = (id: string, stream: (request: Request) => Promise<Response>, options?: FollowOptions) =>
  new FairleadClient({
    baseUrl,
    auth: { kind: "apiKey", key },
    fetch: (request) => (isStream(request) ? stream(request) : host.fetch(request))
  }).followExecution(id, options)
const isStream = ({ url }: Request) => url.endsWith("/stream")
const prefixOf = (bytes: Uint8Array, length: number, breaksOff: boolean) =>
  new Response(
    new ReadableStream({
      start: (controller) => {
        controller.enqueue(bytes.slice(0, length))
        if (breaksOff) controller.error(new TypeError("terminated"))
        else controller.close()
      }
    }),
    { headers: { "content-type": "text/event-stream" } }
  )

describe("followExecution", () => {
  it("tells status, events and output, and ends with the result", async () => {
    const frames = await collect(client.followExecution(await ended(script)))
    const told = frames.map((frame) => (frame.type === "event" ? frame.event.event_type : frame.type))
    assert.deepStrictEqual([told[0], told.at(-2), told.at(-1)], ["status", "execution_failed", "end"])
    const text = { stdout: "", stderr: "" }
    for (const frame of frames) if (frame.type === "output") text[frame.stream] += frame.text
    assert.deepStrictEqual(text, { stdout: "eins\n€\n", stderr: "zwei\n\ufffd\ufffd" })
    const raw = frames.find((frame) => frame.type === "output" && frame.bytes !== undefined)
    assert.deepInclude(raw, { stream: "stderr" })
    assert.isTrue(raw?.type === "output" && raw.bytes?.at(-1) === 0xfe)
    const last = frames.at(-1)
    assert.isTrue(last?.type === "end" && last.result.exit_code === 3)
  })

  it("tells each change of the status of one that runs", async () => {
    const { execution_id } = await client.executions.submit({ script: "out 1\nhold\nexit 0" })
    const seen: Array<string> = []
    for await (const frame of client.followExecution(execution_id)) {
      if (frame.type === "status") seen.push(frame.status)
      if (frame.type === "output") await client.executions.cancel(execution_id)
    }
    assert.deepStrictEqual(seen.slice(-2), ["running", "cancelled"])
    assert.strictEqual(new Set(seen).size, seen.length)
  })

  it("tells the same wherever the connection is cut", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0)
    const id = await ended(script)
    const all = await collect(client.followExecution(id))
    // From shortly before the output on: the stream shall be short.
    const from = all[all.findIndex(({ type }) => type === "output") - 1]?.id
    const whole = await collect(client.followExecution(id, { from }))
    assert.deepStrictEqual(new Set(whole.map(({ type }) => type)), new Set(["status", "output", "event", "end"]))
    /** What the host answers to each `Last-Event-ID`, asked for once. */
    const answers = new Map<string | null, Uint8Array>()
    const answerOf = async (request: Request) => {
      const last = request.headers.get("last-event-id")
      const bytes = answers.get(last) ?? new Uint8Array(await (await host.fetch(request)).arrayBuffer())
      answers.set(last, bytes)
      return bytes
    }
    const cutAt = async (cut: number, breaksOff: boolean) => {
      let connections = 0
      const stream = async (request: Request) => {
        const bytes = await answerOf(request)
        connections++
        return connections === 1 ? prefixOf(bytes, cut, breaksOff) : prefixOf(bytes, bytes.length, false)
      }
      assert.deepStrictEqual(await collect(followThrough(id, stream, { from })), whole, `cut after ${cut} bytes`)
    }
    await cutAt(0, false)
    const { length } = answers.get(from ?? null) ?? new Uint8Array()
    assert.isAbove(length, 1000)
    for (let cut = 1; cut < length; cut++) await cutAt(cut, cut % 2 === 0)
  })

  it("goes on behind the frame it is told", async () => {
    const id = await ended(script)
    const whole = await collect(client.followExecution(id))
    const middle = Math.floor(whole.length / 2)
    const rest = await collect(client.followExecution(id, { from: whole[middle]?.id }))
    assert.deepStrictEqual(rest.slice(1), whole.slice(middle + 1))
    assert.deepStrictEqual(await collect(client.followExecution(id, { from: whole.at(-1)?.id })), [])
  })

  it("reconnects after 45 s of silence, not sooner, and goes on", async () => {
    const id = await ended(script)
    const whole = await collect(client.followExecution(id))
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    let connections = 0
    let closed = false
    const silent = () =>
      new Response(
        new ReadableStream({
          cancel: () => {
            closed = true
          }
        }),
        {
          headers: { "content-type": "text/event-stream" }
        }
      )
    const frames = collect(followThrough(id, async (request) => (connections++ === 0 ? silent() : host.fetch(request))))
    await vi.advanceTimersByTimeAsync(44_900)
    assert.deepStrictEqual([connections, closed], [1, false])
    await vi.advanceTimersByTimeAsync(1_000)
    assert.deepStrictEqual([connections, closed], [2, true])
    vi.useRealTimers()
    assert.deepStrictEqual(await frames, whole)
  })

  it("gives up after ten connections without a sign of life, and never while there are heartbeats", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0)
    const id = await ended("out 1")
    let connections = 0
    const greeting = new TextEncoder().encode(
      `data: {"event_type":"connected","execution_id":"${id}","timestamp":"","connection_id":""}\n\n`
    )
    const failure = failureOf(
      collect(
        followThrough(id, async () => {
          connections++
          return prefixOf(greeting, greeting.length, false)
        })
      )
    )
    assert.strictEqual((await failure).code, "NETWORK")
    assert.strictEqual(connections, 11)

    const beat = new TextEncoder().encode('data: {"event_type":"heartbeat"}\n\n')
    connections = 0
    const frames = await collect(
      followThrough(id, async (request) =>
        ++connections > 30 ? host.fetch(request) : prefixOf(beat, beat.length, connections % 2 === 0)
      )
    )
    assert.strictEqual(frames.at(-1)?.type, "end")
  })

  it("survives a host that is away for a moment", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0)
    const id = await ended(script)
    let requests = 0
    const frames = await collect(
      followThrough(id, async (request) => {
        requests++
        if (requests < 6) throw new TypeError("fetch failed")
        return host.fetch(request)
      })
    )
    assert.strictEqual(frames.at(-1)?.type, "end")
  })

  it("closes its connection when the reader leaves, and the execution goes on", async () => {
    const { execution_id } = await client.executions.submit({ script: "out 1\nhold" })
    for await (const frame of client.followExecution(execution_id)) if (frame.type === "output") break
    await eventually(async () => (await client.health.streams()).active_connections === 0)
    assert.strictEqual((await client.executions.get(execution_id)).status, "running")
    await client.executions.cancel(execution_id)
  })

  it("ends with ABORTED when the caller says so", async () => {
    const { execution_id } = await client.executions.submit({ script: "out 1\nhold" })
    const abort = new AbortController()
    const following = collect(client.followExecution(execution_id, { signal: abort.signal }))
    await eventually(async () => (await client.health.streams()).active_connections > 0)
    abort.abort()
    assert.strictEqual((await failureOf(following)).code, "ABORTED")
    await eventually(async () => (await client.health.streams()).active_connections === 0)
    await client.executions.cancel(execution_id)
  })

  it("fails at once for an execution that is not there", async () => {
    const following = collect(client.followExecution("019a0000-0000-7000-9000-000000000001"))
    assert.strictEqual((await failureOf(following)).code, "EXECUTION_NOT_FOUND")
  })
})
