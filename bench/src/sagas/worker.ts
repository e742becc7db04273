/** The process of one contender: `worker.ts <system> <database url>`. Does what its parent asks, one thing at a time. */
import type { Start } from "./Contender.ts"

export type Task =
  /** Keeps `inFlight` items going until `count` have been put in, or until `millis` are over. */
  | { readonly _tag: "Load"; readonly inFlight: number; readonly count: number; readonly millis: number }
  /** Items one after the other, each into an idle system, until `count` have ended or `millis` are over. */
  | { readonly _tag: "Latency"; readonly count: number; readonly millis: number }
  | { readonly _tag: "Stop" }

export interface Done {
  readonly items: number
  readonly millis: number
  /** Of this process. */
  readonly cpuMillis: number
  /** Milliseconds from putting an item in to its end; of `Latency` only. */
  readonly latencies: ReadonlyArray<number>
}

/** Between two items of `Latency`; a little more than what systems gather before they write. */
const pauseMillis = 30

/** Loaded only where it runs. */
const systems: Readonly<Record<string, () => Promise<Start>>> = {
  fairlead: async () => (await import("./fairlead.ts")).untilEnded,
  "fairlead, result awaited": async () => (await import("./fairlead.ts")).untilResult,
  DBOS: async () => (await import("./dbos.ts")).start,
  "graphile-worker": async () => (await import("./graphileWorker.ts")).start,
  "pg-boss": async () => (await import("./pgBoss.ts")).start
}
const [system = "", url = ""] = process.argv.slice(2)
const start = await systems[system]?.()
if (start === undefined) throw new Error(`there is no system ${system}`)
const contender = await start(url)

const load = async ({ count, inFlight, millis }: Extract<Task, { readonly _tag: "Load" }>) => {
  const until = performance.now() + millis
  let [begun, items] = [0, 0]
  const loop = async () => {
    while (begun < count && performance.now() < until) {
      begun++
      await contender.run()
      items++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return { items, latencies: [] }
}

const latency = async ({ count, millis }: Extract<Task, { readonly _tag: "Latency" }>) => {
  const until = performance.now() + millis
  const latencies: Array<number> = []
  while (latencies.length < count && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, pauseMillis))
    const started = performance.now()
    await contender.run()
    latencies.push(performance.now() - started)
  }
  return { items: latencies.length, latencies }
}

process.on("message", async (task: Task) => {
  if (task._tag === "Stop") {
    await contender.stop()
    process.exit(0)
  }
  const [started, cpu] = [performance.now(), process.cpuUsage()]
  const measured = task._tag === "Load" ? await load(task) : await latency(task)
  const used = process.cpuUsage(cpu)
  const done: Done = { ...measured, millis: performance.now() - started, cpuMillis: (used.user + used.system) / 1000 }
  process.send?.(done)
})
process.send?.("ready")
