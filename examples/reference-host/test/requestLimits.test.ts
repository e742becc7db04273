/** What the settings of requests do to a host: each is met, one after the other, with one call too many. */
import { connect, type Socket } from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"

const kept = 8 * 1024 ** 2

describe.each([
  ["of one user", "_PER_USER", 429, ["TOO_MUCH_AT_ONCE", "TOO_MANY_STREAMS"]],
  ["of everybody", "", 503, ["OVERLOADED"]]
])("what is asked at once %s", (_, suffix, refusal, codes) => {
  let host: HostProcess
  let caller: Caller
  let running: string
  let long: string
  const sockets: Array<Socket> = []

  const run = async (script: string, more: object = {}) =>
    `${(await caller.call("POST", "/executions", { script, lang: "python", lang_version: "3", ...more }))["execution_id"]}`
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${host.url}/api/v1${path}`, { headers: caller.headers, ...init })
  /** Sends the text and reads nothing. */
  const silent = (text: string) => {
    const { hostname, port } = new URL(host.url)
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text))
    socket.pause()
    socket.on("error", () => {})
    sockets.push(socket)
  }
  const head = (method: string, path: string, more = "") =>
    `${method} /api/v1${path} HTTP/1.1\r\nHost: ${new URL(host.url).host}\r\nAuthorization: ${caller.headers["authorization"]}\r\nContent-Type: application/json\r\n${more}\r\n`
  /** Asks until it is refused, because what was begun before may not have arrived yet. */
  const refused = async (again: () => Promise<Response>) => {
    for (;;) {
      const answer = await again()
      if (answer.status !== refusal) {
        await answer.body?.cancel()
        continue
      }
      assert.include(codes, (await answer.json()).code)
      assert.isNotNull(answer.headers.get("retry-after"))
      return
    }
  }

  beforeAll(async () => {
    const names = ["MAX_STREAMS", "MAX_HELD_REQUESTS", "MAX_LONG_ANSWERS", "MAX_BODY_MB"]
    const few = Object.fromEntries(names.map((name) => [`FAIRLEAD_${name}${suffix}`, "1"]))
    host = await startHost({
      environment: { ...few, FAIRLEAD_KEEP_ALIVE_SECONDS: "7", FAIRLEAD_STALLED_SECONDS: "2" }
    })
    caller = await logIn(host.url)
    long = await run(`print("x" * ${kept})`, { output_bytes: kept + 1 })
    await ask(`/executions/${long}/result?wait_seconds=50`).then((answer) => answer.body?.cancel())
    running = await run("import time\ntime.sleep(600)")
  }, 60_000)
  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    await host.stop()
  })

  it("is bounded for streams", { timeout: 30_000 }, async () => {
    const first = new AbortController()
    const open = await ask(`/executions/${running}/stream`, { signal: first.signal })
    assert.strictEqual(open.status, 200)
    await refused(() => ask(`/executions/${running}/stream`))
    first.abort()
  })

  it("is bounded for requests that wait", { timeout: 30_000 }, async () => {
    const first = new AbortController()
    const signal = first.signal
    await refused(() => {
      // Refused itself if it arrives second: so anew each time.
      ask(`/executions/${running}/result?wait_seconds=60`, { signal }).catch(() => {})
      return ask(`/executions/${running}/result?wait_seconds=1`)
    })
    first.abort()
  })

  it("is bounded for long answers, of which those that nobody reads are cut", { timeout: 30_000 }, async () => {
    await refused(() => {
      silent(head("GET", `/executions/${long}/logs?limit=${kept}`))
      return ask(`/executions/${long}/result`)
    })
    let answer = await ask(`/executions/${long}/result`)
    while (answer.status === refusal) answer = await ask(`/executions/${long}/result`)
    assert.deepStrictEqual([answer.status, (await answer.json()).stdout_bytes], [200, kept + 1])
  })

  it("is bounded for bytes of bodies", { timeout: 30_000 }, async () => {
    const body = JSON.stringify({ script: "x".repeat(60_000), lang: "none", lang_version: "0" })
    await refused(() => {
      // Refused itself if it arrives second: so anew each time.
      silent(head("POST", "/executions", "Content-Length: 1000000\r\n"))
      return ask("/executions", { method: "POST", body })
    })
  })

  it("keeps a connection for the time that was set", async () => {
    assert.strictEqual((await ask("/auth/me")).headers.get("keep-alive"), "timeout=7")
  })
})
