/** Many event streams of one execution at once: how late a line is, what a stream costs, and how the API answers meanwhile. `--quick` for a short look. */
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { logIn, startHost } from "../../examples/reference-host/test/support/HostProcess.ts"
import { sleep, until } from "./prove/waiting.ts"
import { table, writeReport } from "./support/report.ts"
import { round, summarize } from "./support/stats.ts"

const quick = process.argv.includes("--quick")
const streams = quick ? 200 : 2_000
const seconds = quick ? 5 : 20

const host = await startHost({
  environment: {
    FAIRLEAD_MAX_STREAMS_PER_USER: `${streams}`,
    FAIRLEAD_MAX_CONNECTIONS_PER_ADDRESS: `${streams + 100}`,
    FAIRLEAD_LOG_LEVEL: "Error"
  }
})
// Also when a socket breaks off: nobody else would end the host.
const kill = () => process.kill(host.pid, "SIGKILL")
process.once("exit", kill)
const residentKib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${host.pid}/status`, "utf8"))?.[1])
const sockets: Array<Socket> = []
try {
  const caller = await logIn(host.url)
  for (let n = 0; n < 300; n++) await caller.call("GET", "/executions?limit=10")
  // Each line says when it was written.
  const script = `import time\nwhile True:\n    print(f'at={time.time() * 1000:.0f};', flush=True)\n    time.sleep(1)`
  const made = await caller.call("POST", "/executions", { script, lang: "python", lang_version: "3" })
  const before = residentKib()

  const lags: Array<number> = []
  const behind = new Set<number>()
  const refused = new Set<string>()
  const { host: name, hostname, port } = new URL(host.url)
  const head = `GET /api/v1/executions/${made["execution_id"]}/stream HTTP/1.1\r\nHost: ${name}\r\nAuthorization: ${caller.headers["authorization"]}\r\n\r\n`
  for (let n = 0; n < streams; n++) {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(head))
    sockets.push(socket)
    socket.on("error", ({ message }) => refused.add(message))
    socket.on("data", (chunk: Buffer) => {
      if (!behind.has(n) && !chunk.toString("latin1").startsWith("HTTP/1.1 200")) refused.add(`${chunk}`.slice(0, 500))
      behind.add(n)
      for (const [, at] of chunk.toString("latin1").matchAll(/at=(\d+);/g)) lags.push(Date.now() - Number(at))
    })
    if (n % 50 === 49) await sleep(20)
  }
  const mustAccept = () => {
    if (refused.size > 0) throw new Error(`a stream broke off: ${[...refused].join("\n")}`)
  }
  await until("every stream has begun", () => (behind.size === streams ? true : undefined), 60_000)
  mustAccept()
  // What was there before a stream began is not late.
  lags.length = 0
  await sleep(2_000)
  lags.length = 0
  const answers: Array<number> = []
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const began = performance.now()
    await caller.call("GET", "/executions?limit=10")
    answers.push(performance.now() - began)
    await sleep(50)
  }
  mustAccept()
  const [lag, answer] = [summarize(lags), summarize(answers)]
  const kibEach = round((residentKib() - before) / streams)
  await caller.call("POST", `/executions/${made["execution_id"]}/cancel`, {})
  const rows = [
    {
      streams,
      "lag p50, ms": lag.p50,
      "lag p99, ms": lag.p99,
      "lag max, ms": lag.max,
      lines: lag.count,
      "KiB each": kibEach,
      "API p99, ms": answer.p99
    }
  ]
  table(rows)
  console.log(`written to ${writeReport("streams", { seconds, rows })}`)
} finally {
  process.off("exit", kill)
  for (const socket of sockets) socket.destroy()
  await host.stop()
}
