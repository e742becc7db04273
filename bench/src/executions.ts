/**
 * What a script costs beyond its own process: 40 sequential fib(10) and 10 sequential fib(33) in Python through POST
 * /executions, each beside a bare `python3` of the same run, then throughput with 8 in flight. The shape is that of the
 * published comparison of workflow engines in which "a task is a process". `--quick` shows that it works, with a quarter of them.
 */
import { spawn } from "node:child_process"
import { type Caller, logIn, startHost } from "../../examples/reference-host/test/support/HostProcess.ts"
import { table, writeReport } from "./support/report.ts"
import { round, summarize } from "./support/stats.ts"

const quick = process.argv.includes("--quick")
const [lightTasks, heavyTasks, tasksInFlight] = quick ? [10, 3, 50] : [40, 10, 200]

const fib = (n: number) => `def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(${n}))\n`
/** The interpreter that the host chose, told by a script that it ran: another build of Python would not compare. */
const interpreter = async (host: Caller) => {
  const { execution_id: id } = await host.call("POST", "/executions", {
    script: "import sys; print(sys.executable)",
    lang: "python",
    lang_version: "3"
  })
  const { stdout } = await host.call("GET", `/executions/${id}/result?wait_seconds=60`)
  return String(stdout).trim()
}

const bare = (python: string, script: string) =>
  new Promise<number>((resolve, reject) => {
    const started = performance.now()
    const child = spawn(python, ["-I", "-u", "-c", script], { stdio: ["ignore", "pipe", "pipe"] })
    child.stdout.resume()
    child.stderr.resume()
    child.once("error", reject)
    child.once("exit", () => resolve(performance.now() - started))
  })

const task = async (host: Caller, script: string, expected: string) => {
  const started = performance.now()
  const accepted = await host.call("POST", "/executions", { script, lang: "python", lang_version: "3" })
  const result = await host.call("GET", `/executions/${accepted["execution_id"]}/result?wait_seconds=60`)
  const millis = performance.now() - started
  if (result["status"] !== "completed" || result["stdout"] !== expected)
    throw new Error(`wrong result: ${JSON.stringify(result)}`)
  return millis
}

/** Sequential tasks, each beside a bare process, so that both see the same machine. */
const sequential = async (host: Caller, python: string, n: number, expected: string, count: number) => {
  const script = fib(n)
  for (let i = 0; i < 3; i++) await Promise.all([bare(python, script).then(() => task(host, script, expected))])
  const [tasks, processes]: [Array<number>, Array<number>] = [[], []]
  for (let i = 0; i < count; i++) {
    processes.push(await bare(python, script))
    tasks.push(await task(host, script, expected))
  }
  const [through, alone] = [summarize(tasks), summarize(processes)]
  return { through, alone, overheadP50: round(through.p50 - alone.p50), overheadP90: round(through.p90 - alone.p90) }
}

const throughput = async (host: Caller, count: number, inFlight: number) => {
  const script = fib(10)
  let left = count
  const started = performance.now()
  const worker = async () => {
    while (left-- > 0) await task(host, script, "55\n")
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return round((count * 1000) / (performance.now() - started))
}

const bareThroughput = async (python: string, count: number, inFlight: number) => {
  let left = count
  const started = performance.now()
  const worker = async () => {
    while (left-- > 0) await bare(python, fib(10))
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return round((count * 1000) / (performance.now() - started))
}

const measure = async (database: string, environment: Readonly<Record<string, string>>) => {
  const host = await startHost({ environment: { FAIRLEAD_MAX_ACTIVE_PER_USER: "100000", ...environment } })
  try {
    const caller = await logIn(host.url)
    const python = await interpreter(caller)
    const light = await sequential(caller, python, 10, "55\n", lightTasks)
    const heavy = await sequential(caller, python, 33, "3524578\n", heavyTasks)
    const perSecond = await throughput(caller, tasksInFlight, 8)
    return {
      database,
      startMillis: Math.round(host.startMillis),
      light,
      heavy,
      perSecond,
      barePerSecond: await bareThroughput(python, tasksInFlight, 8)
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
console.log(`written to ${writeReport("executions", { quick, runs })}`)
