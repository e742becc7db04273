/**
 * What a script costs beyond its own process: 40 sequential fib(10) and 10 sequential fib(33) in Python through POST
 * /executions, each beside a bare `python3` of the same run, then throughput with 8 in flight. The shape is that of the
 * published comparison of workflow engines in which "a task is a process".
 */
import { execFileSync, spawn } from "node:child_process"
import { type Host, startHost } from "./support/host.ts"
import { table, writeReport } from "./support/report.ts"
import { round, summarize } from "./support/stats.ts"

const fib = (n: number) => `def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(${n}))\n`
const python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim()

const bare = (script: string) =>
  new Promise<number>((resolve, reject) => {
    const started = performance.now()
    const child = spawn(python, ["-I", "-u", "-c", script], { stdio: ["ignore", "pipe", "pipe"] })
    child.stdout.resume()
    child.stderr.resume()
    child.once("error", reject)
    child.once("exit", () => resolve(performance.now() - started))
  })

const task = async (host: Host, script: string, expected: string) => {
  const started = performance.now()
  const accepted = await call(
    host,
    "POST",
    "/executions",
    JSON.stringify({ script, lang: "python", lang_version: "3" })
  )
  const result = await call(host, "GET", `/executions/${accepted["execution_id"]}/result?wait_seconds=60`)
  const millis = performance.now() - started
  if (result["status"] !== "completed" || result["stdout"] !== expected)
    throw new Error(`wrong result: ${JSON.stringify(result)}`)
  return millis
}

const call = async (host: Host, method: string, path: string, body?: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`${host.url}/api/v1${path}`, {
    method,
    headers: host.headers,
    ...(body === undefined ? {} : { body })
  })
  const answer: Record<string, unknown> = JSON.parse(await response.text())
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer
}

/** Sequential tasks, each beside a bare process, so that both see the same machine. */
const sequential = async (host: Host, n: number, expected: string, count: number) => {
  const script = fib(n)
  for (let i = 0; i < 3; i++) await Promise.all([bare(script).then(() => task(host, script, expected))])
  const [tasks, processes]: [Array<number>, Array<number>] = [[], []]
  for (let i = 0; i < count; i++) {
    processes.push(await bare(script))
    tasks.push(await task(host, script, expected))
  }
  const [through, alone] = [summarize(tasks), summarize(processes)]
  return { through, alone, overheadP50: round(through.p50 - alone.p50), overheadP90: round(through.p90 - alone.p90) }
}

const throughput = async (host: Host, count: number, inFlight: number) => {
  const script = fib(10)
  let left = count
  const started = performance.now()
  const worker = async () => {
    while (left-- > 0) await task(host, script, "55\n")
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return round((count * 1000) / (performance.now() - started))
}

const bareThroughput = async (count: number, inFlight: number) => {
  let left = count
  const started = performance.now()
  const worker = async () => {
    while (left-- > 0) await bare(fib(10))
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return round((count * 1000) / (performance.now() - started))
}

const measure = async (database: string, environment: Readonly<Record<string, string>>) => {
  const host = await startHost(environment)
  try {
    const light = await sequential(host, 10, "55\n", 40)
    const heavy = await sequential(host, 33, "3524578\n", 10)
    const perSecond = await throughput(host, 200, 8)
    return {
      database,
      startMillis: Math.round(host.startMillis),
      light,
      heavy,
      perSecond,
      barePerSecond: await bareThroughput(200, 8)
    }
  } finally {
    await host.stop()
  }
}

const databaseUrl = process.env["FAIRLEAD_TEST_DATABASE_URL"]
const runs = [await measure("PGlite", {})]
if (databaseUrl !== undefined) runs.push(await measure("PostgreSQL", { DATABASE_URL: databaseUrl }))

table(
  runs.map(({ barePerSecond, database, heavy, light, perSecond }) => ({
    database,
    "fib(10) task p50 ms": light.through.p50,
    "bare p50 ms": light.alone.p50,
    "overhead p50 ms": light.overheadP50,
    "fib(33) overhead p50 ms": heavy.overheadP50,
    "tasks/s, 8 in flight": perSecond,
    "bare/s": barePerSecond
  }))
)
console.log(`written to ${writeReport("executions", { runs })}`)
