/** Authenticated GET and POST of the host against bare fastify and bare hono with the same answers, in one run, as ratios. The GET is the
 * caller's own account; the POST cancels an execution again, which reads one row of the host's database, and none of the peers'. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import autocannon from "autocannon"
import { logIn, startHost } from "../../examples/reference-host/test/support/HostProcess.ts"
import { table, writeReport } from "./support/report.ts"
import { median, round } from "./support/stats.ts"

interface Target {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly get: string
  readonly post: string
  stop(): Promise<void> | void
}

const rounds = Number(process.env["FAIRLEAD_BENCH_ROUNDS"] ?? 3)
const seconds = Number(process.env["FAIRLEAD_BENCH_SECONDS"] ?? 5)

const startPeer = (name: "fastify" | "hono") =>
  new Promise<Target>((resolve, reject) => {
    const file = fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url))
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)))
    child.stdout.once("data", (chunk: Buffer) =>
      resolve({
        name,
        url: chunk.toString().trim(),
        headers: { authorization: "Bearer token-0001", "content-type": "application/json" },
        get: "/get",
        post: "/post",
        stop: () => void child.kill()
      })
    )
  })

const load = async (target: Target, method: "GET" | "POST", path: string, body?: string) => {
  const result = await autocannon({
    url: `${target.url}${path}`,
    method,
    headers: { ...target.headers },
    connections: 50,
    duration: seconds,
    ...(body === undefined ? {} : { body })
  })
  if (result.non2xx > 0) throw new Error(`${target.name} ${method} ${path}: ${result.non2xx} answers were not 2xx`)
  return result.requests.average
}

/** An execution that is cancelled already: cancelling it again is a POST that reads one row and changes nothing. */
const cancelledExecution = async () => {
  const { execution_id: id } = await caller.call("POST", "/executions", {
    script: "import time; time.sleep(60)",
    lang: "python",
    lang_version: "3"
  })
  while ((await caller.call("POST", `/executions/${id}/cancel`, {}))["status"] !== "already_cancelled");
  return `/api/v1/executions/${id}/cancel`
}

const host = await startHost()
const caller = await logIn(host.url)
const targets: ReadonlyArray<Target> = [
  {
    name: "fairlead",
    url: host.url,
    headers: caller.headers,
    get: "/api/v1/auth/me",
    post: await cancelledExecution(),
    stop: host.stop
  },
  await startPeer("fastify"),
  await startPeer("hono")
]
const samples = targets.map((target) => ({ target, get: [] as number[], post: [] as number[] }))
try {
  for (let turn = 0; turn < rounds; turn++)
    for (const { get, post, target } of samples) {
      get.push(await load(target, "GET", target.get))
      post.push(await load(target, "POST", target.post, JSON.stringify({ reason: "enough" })))
    }
} finally {
  for (const target of targets) await target.stop()
}

const rates = samples.map(({ get, post, target }) => ({ name: target.name, get: median(get), post: median(post) }))
const fastify = rates.find(({ name }) => name === "fastify") ?? { get: 1, post: 1 }
const rows = rates.map(({ get, name, post }) => ({
  server: name,
  "GET/s": get,
  "POST/s": post,
  "GET, of fastify": round(get / fastify.get),
  "POST, of fastify": round(post / fastify.post)
}))
table(rows)
console.log(`written to ${writeReport("http", { seconds, rounds, connections: 50, rows })}`)
