/**
 * Durable work on PostgreSQL: our executions, whose script does nothing, beside DBOS, graphile-worker and pg-boss, in turns on one
 * server. Rates with 1, 8 and 64 items in flight, latency when idle, what an item costs, and how much slower ours is with
 * thousands of executions stored. `--quick` shows that it works, in a minute.
 */
import { peers, type Running, startAll } from "./sagas/contenders.ts"
import { serverSettings, serverUrl } from "./support/databases.ts"
import { table, writeReport } from "./support/report.ts"
import { median, round, summarize } from "./support/stats.ts"

const quick = process.argv.includes("--quick")
const rounds = Number(process.env["FAIRLEAD_BENCH_ROUNDS"] ?? (quick ? 1 : 5))
const seconds = Number(process.env["FAIRLEAD_BENCH_SECONDS"] ?? (quick ? 0.5 : 3))
const samples = quick ? 10 : 120
const stored = quick ? [1000] : [10_000, 100_000]
const inFlights = [1, 8, 64] as const
type InFlight = (typeof inFlights)[number]

interface Figures {
  readonly running: Running
  readonly rates: Readonly<Record<InFlight, Array<number>>>
  readonly latencies: Array<number>
  commitsPerItem: number
  writesPerItem: number
  nodeCpuMillis: number
  /** None when the server runs on another machine. */
  serverCpuMillis: number | undefined
}

const load = (running: Running, inFlight: number, millis = seconds * 1000, count = 1_000_000) =>
  running.ask({ _tag: "Load", inFlight, count, millis })

/** Each round gives every system its turn, in an order that moves on. */
const measureRates = async (figures: ReadonlyArray<Figures>) => {
  for (let turn = 0; turn < rounds; turn++)
    for (const inFlight of inFlights)
      for (let i = 0; i < figures.length; i++) {
        const each = figures[(i + turn) % figures.length]
        if (each === undefined) continue
        const { items, millis } = await load(each.running, inFlight)
        each.rates[inFlight].push((items * 1000) / millis)
      }
}

const measureLatency = async (figures: ReadonlyArray<Figures>) => {
  const parts = quick ? 1 : 4
  for (let part = 0; part < parts; part++)
    for (const { latencies, running } of figures) {
      const done = await running.ask({ _tag: "Latency", count: samples / parts, millis: 20_000 })
      latencies.push(...done.latencies)
    }
}

/** The server counts the commits of a connection at most once a second; a few more items make every one tell. */
const settled = async (running: Running) => {
  await new Promise((resolve) => setTimeout(resolve, 1200))
  return (await load(running, 64, 5000, 128)).items
}

const transactionIds = async ({ database }: Running) => {
  const [row] = await database.query("select pg_snapshot_xmax(pg_current_snapshot())::text::float8 as next")
  return Number(row?.["next"])
}

const measureCost = async (each: Figures) => {
  const { database } = each.running
  await settled(each.running)
  const [commits, cpu, ids] = [
    await database.commits(),
    await database.backendCpuMillis(),
    await transactionIds(each.running)
  ]
  const { cpuMillis, items } = await load(each.running, 64, seconds * 1000)
  const [cpuAfter, idsAfter] = [await database.backendCpuMillis(), await transactionIds(each.running)]
  const more = await settled(each.running)
  each.commitsPerItem = ((await database.commits()) - commits) / (items + more)
  each.writesPerItem = (idsAfter - ids) / items
  each.nodeCpuMillis = cpuMillis / items
  each.serverCpuMillis = cpu === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpu) / items
}

const server = serverUrl()
const settings = await serverSettings(server)
const running: Array<Running> = []
const measureAll = async () => {
  await startAll(running, server, stored)
  const figures = running.map(
    (each): Figures => ({
      running: each,
      rates: { 1: [], 8: [], 64: [] },
      latencies: [],
      commitsPerItem: 0,
      writesPerItem: 0,
      nodeCpuMillis: 0,
      serverCpuMillis: undefined
    })
  )
  for (const each of running) await load(each, 64, quick ? 300 : 2000)
  await measureRates(figures)
  await measureLatency(figures)
  for (const each of figures) await measureCost(each)
  return figures
}
const stopAll = () => Promise.all(running.map((each) => each.stop()))
const figures = await measureAll().finally(stopAll)

/** Of the same rounds, so that both saw the same machine. */
const ratio = (ours: Figures, other: Figures, inFlight: InFlight) =>
  round(median(ours.rates[inFlight].map((rate, turn) => rate / (other.rates[inFlight][turn] ?? rate))))
const ours = figures[0]
const rows = figures.map((each) => {
  const latency = summarize(each.latencies)
  return {
    system: each.running.name,
    "1/s": Math.round(median(each.rates[1])),
    "8/s": Math.round(median(each.rates[8])),
    "64/s": Math.round(median(each.rates[64])),
    "fairlead is, at 64": ours === undefined ? 0 : ratio(ours, each, 64),
    "idle p50 ms": latency.p50,
    "idle p99 ms": latency.p99,
    commits: round(each.commitsPerItem),
    writing: round(each.writesPerItem),
    "CPU ms node": round(each.nodeCpuMillis),
    "CPU ms server": each.serverCpuMillis === undefined ? "?" : round(each.serverCpuMillis)
  }
})
console.log(
  `PostgreSQL ${settings["version"]}, fsync ${settings["fsync"]}, synchronous_commit ${settings["synchronous_commit"]}`
)
table(rows)
const raw = figures.map(({ latencies, rates, running: { name } }) => ({ name, rates, latencies: summarize(latencies) }))
const ratios = figures
  .filter(({ running: { name } }) => peers.includes(name))
  .map((peer) => ({
    peer: peer.running.name,
    ...Object.fromEntries(inFlights.map((n) => [n, ours === undefined ? 0 : ratio(ours, peer, n)]))
  }))
console.log(`written to ${writeReport("sagas", { settings, rounds, seconds, quick, rows, ratios, raw })}`)
