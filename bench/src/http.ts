/**
 * Calls of the host against the same done by others, in one run, as ratios: bare fastify and bare hono, which send the same from memory, and
 * fastify over `pg`, which does the reads and writes that the call is about on the same server. Without a server the host has its own database,
 * and only the first two are compared with.
 */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import autocannon from "autocannon"
import { logIn, startHost } from "../../examples/reference-host/test/support/HostProcess.ts"
import { createDatabase } from "./support/databases.ts"
import { table, writeReport } from "./support/report.ts"
import { median, round } from "./support/stats.ts"

interface Call {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly body?: string
}

interface Target {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** By the name of the row. */
  readonly calls: Readonly<Record<string, Call>>
  stop(): Promise<void> | void
}

const rounds = Number(process.env["FAIRLEAD_BENCH_ROUNDS"] ?? 3)
const seconds = Number(process.env["FAIRLEAD_BENCH_SECONDS"] ?? 5)
const connections = 50
const script = { script: "print('hello')", lang: "python", lang_version: "3" }

const startPeer = (name: string, file: string, calls: Target["calls"], environment: Record<string, string> = {}) =>
  new Promise<Target>((resolve, reject) => {
    const program = fileURLToPath(new URL(`./peers/${file}`, import.meta.url))
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "inherit"]
    })
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)))
    child.stdout.once("data", (chunk: Buffer) =>
      resolve({
        name,
        url: chunk.toString().trim(),
        headers: { authorization: "Bearer token-0001", "content-type": "application/json" },
        calls,
        stop: () => void child.kill()
      })
    )
  })

const load = async ({ headers, name, url }: Target, { body, method, path }: Call) => {
  const result = await autocannon({
    url: `${url}${path}`,
    method,
    headers: { ...headers },
    connections,
    duration: seconds,
    ...(body === undefined ? {} : { body })
  })
  if (result.non2xx > 0) throw new Error(`${name} ${method} ${path}: ${result.non2xx} answers were not 2xx`)
  return result.requests.average
}

const server = process.env["FAIRLEAD_TEST_DATABASE_URL"]
const database = server === undefined ? undefined : await createDatabase(server, "http")
const host = await startHost({
  environment: {
    FAIRLEAD_MAX_ACTIVE: "1000000",
    FAIRLEAD_MAX_ACTIVE_PER_USER: "1000000",
    FAIRLEAD_MAX_PLANNED_PER_USER: "1000000",
    ...(database && { DATABASE_URL: database.url })
  }
})
const caller = await logIn(host.url)

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
const later = () => JSON.stringify({ ...script, run_at: inAnHour() })

/** Cancelling it again is a POST that reads one row and changes nothing. */
const cancelledExecution = async () => {
  const { execution_id: id } = await caller.call("POST", "/executions", { ...script, run_at: inAnHour() })
  while ((await caller.call("POST", `/executions/${id}/cancel`, {}))["status"] !== "already_cancelled");
  return id
}
const endedExecution = async () => (await caller.call("POST", "/executions?wait_seconds=60", script))["execution_id"]

const cancelled = await cancelledExecution()
let ended: unknown
for (let i = 0; i < 20; i++) ended = await endedExecution()

const [get, post] = [{ method: "GET" }, { method: "POST" }] as const
const reason = JSON.stringify({ reason: "enough" })
const overDatabase = (prefix: string): Target["calls"] => ({
  result: { ...get, path: `${prefix}/executions/${ended}/result` },
  "list of 20": { ...get, path: `${prefix}/executions?limit=20` },
  cancel: { ...post, path: `${prefix}/executions/${cancelled}/cancel`, body: reason },
  // Last: what it adds makes lists longer.
  "submit for later": { ...post, path: `${prefix}/executions`, body: later() }
})
const fromMemory = { account: { ...get, path: "/get" }, cancel: { ...post, path: "/post", body: reason } }

const targets: ReadonlyArray<Target> = [
  {
    name: "fairlead",
    url: host.url,
    headers: caller.headers,
    calls: { account: { ...get, path: "/api/v1/auth/me" }, ...overDatabase("/api/v1") },
    stop: host.stop
  },
  await startPeer("fastify", "fastify.ts", fromMemory),
  await startPeer("hono", "hono.ts", fromMemory),
  ...(database
    ? [await startPeer("fastify + pg", "fastifyPg.ts", overDatabase(""), { DATABASE_URL: database.url })]
    : [])
]

const samples = new Map<string, Array<number>>()
try {
  for (const name of ["account", "result", "list of 20", "cancel", "submit for later"])
    for (let turn = 0; turn < rounds; turn++)
      for (const target of targets) {
        const call = target.calls[name]
        const key = `${name} ${target.name}`
        if (call !== undefined) samples.set(key, [...(samples.get(key) ?? []), await load(target, call)])
      }
} finally {
  for (const target of targets) await target.stop()
  await database?.drop()
}

const rateOf = (call: string, { name }: Target) => {
  const rates = samples.get(`${call} ${name}`)
  return rates === undefined ? undefined : median(rates)
}
const [own, ...peers] = targets
const rows = Object.keys(own?.calls ?? {}).map((call) => {
  const rate = (own && rateOf(call, own)) ?? 0
  const figures = peers.map((peer): Readonly<Record<string, string | number>> => {
    const other = rateOf(call, peer)
    return { [`${peer.name}/s`]: other ?? "", [`of ${peer.name}`]: other === undefined ? "" : round(rate / other) }
  })
  return Object.assign({ call, "fairlead/s": rate }, ...figures)
})
table(rows)
console.log(`written to ${writeReport("http", { seconds, rounds, connections, rows })}`)
