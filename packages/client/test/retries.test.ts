import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { FairleadClient, type FairleadOptions } from "@fairlead/client"
import { vi } from "vitest"
import { baseUrl, clientOf, failureOf, startHost } from "./support/TestHost.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
  vi.spyOn(Math, "random").mockReturnValue(0)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const unavailable = (retryAfter?: string) =>
  new Response("{}", { status: 503, headers: retryAfter === undefined ? {} : { "retry-after": retryAfter } })
const accepted = () => Response.json({ execution_id: "x", status: "queued" })

/** Answers one after the other; `sent` has the time of each request in milliseconds since the start. */
const scripted = (answers: ReadonlyArray<() => Response>, options: FairleadOptions = {}) => {
  const sent: Array<{ readonly at: number; readonly key: string | null; readonly body: string }> = []
  const start = Date.now()
  const client = new FairleadClient({
    baseUrl,
    fetch: async (request) => {
      const answer = answers[sent.length]
      sent.push({ at: Date.now() - start, key: request.headers.get("idempotency-key"), body: await request.text() })
      if (answer === undefined) throw new TypeError("fetch failed")
      return answer()
    },
    ...options
  })
  return { client, sent }
}

/** The outcome, while time passes as fast as somebody waits for it. */
const settled = async <A>(promise: Promise<A>): Promise<A> => {
  let done = false
  const outcome = promise.finally(() => {
    done = true
  })
  outcome.catch(() => undefined)
  while (!done) await vi.advanceTimersByTimeAsync(100)
  return outcome
}

describe("retries", () => {
  it("repeat a read, after what Retry-After says", async () => {
    const { client, sent } = scripted([() => unavailable("3"), () => unavailable(), accepted])
    await settled(client.executions.get("x"))
    const [first = 0, second = 0, third = 0] = sent.map(({ at }) => at)
    assert.approximately(second - first, 3000, 5)
    assert.approximately(third - second, 0, 5)
  })

  it("understand a date", async () => {
    const { client, sent } = scripted([() => unavailable(new Date(Date.now() + 5000).toUTCString()), accepted])
    await settled(client.executions.get("x"))
    assert.approximately(sent[1]?.at ?? 0, 5000, 1000)
  })

  it("wait longer each time, at random", async () => {
    vi.mocked(Math.random).mockReturnValue(0.999_999)
    const { client, sent } = scripted([], { retries: 3 })
    await settled(failureOf(client.executions.get("x")))
    const waits = sent.slice(1).map(({ at }, i) => at - (sent[i]?.at ?? 0))
    assert.strictEqual(waits.length, 3)
    for (const [i, wait] of [250, 500, 1000].entries()) assert.approximately(waits[i] ?? 0, wait, 5)
  })

  it("repeat a submission with the same key and body, so that it is accepted once", async () => {
    const { client, sent } = scripted([() => unavailable(), () => unavailable(), accepted])
    await settled(client.executions.submit({ script: "out 1" }))
    const [first, ...others] = sent.map(({ body, key }) => ({ body, key }))
    assert.match(first?.key ?? "", /^[0-9a-f]{32}$/)
    assert.deepStrictEqual(others, [first, first])
  })

  it("end with the last error after three tries", async () => {
    const { client, sent } = scripted([])
    assert.strictEqual((await settled(failureOf(client.executions.get("x")))).code, "NETWORK")
    assert.strictEqual(sent.length, 3)
  })

  it.each([
    ["a write without a key", [], (client: FairleadClient) => client.executions.cancel("x")],
    ["a refusal", [() => new Response("{}", { status: 404 })], (client: FairleadClient) => client.executions.get("x")],
    [
      "a fault of the server",
      [() => new Response("{}", { status: 500 })],
      (client: FairleadClient) => client.auth.me()
    ],
    ["more than a minute away", [() => unavailable("61")], (client: FairleadClient) => client.executions.get("x")]
  ] as const)("do not repeat %s", async (_, answers, call) => {
    const { client, sent } = scripted(answers)
    await settled(failureOf(call(client)))
    assert.strictEqual(sent.length, 1)
  })

  it("stop waiting when the caller gives up", async () => {
    const { client, sent } = scripted([() => unavailable("30")])
    const abort = new AbortController()
    const failure = failureOf(client.executions.get("x", { signal: abort.signal }))
    await vi.advanceTimersByTimeAsync(1000)
    abort.abort()
    assert.strictEqual((await failure).code, "ABORTED")
    assert.strictEqual(sent.length, 1)
  })
})

it("a full queue is retried, and its error says when to come back", async () => {
  vi.useRealTimers()
  const host = await startHost({ admission: { maxActivePerUser: 1 } })
  const client = await clientOf(host, "anna", { retries: 0 })
  await client.executions.submit({ script: "hold" })
  const error = await failureOf(client.executions.submit({ script: "out 1" }))
  assert.isTrue(error.is("QUEUE_FULL") && error.problem.maximum === 1)
  assert.isAbove(error.retryAfterSeconds ?? 0, 0)
  assert.isTrue(error.retryable)
  await host.stop()
})
