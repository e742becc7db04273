/**
 * The event log beside raw inserts, in turns on one PostgreSQL: events a second that many writers append, each waiting for its own
 * commit, against one-row inserts by `pgbench` (and by our own client where that is not installed). `--quick` for a short look.
 */
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { EventFactory } from "@fairlead/core/events/EventFactory"
import { EventLog } from "@fairlead/core/events/EventLog"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { Ids } from "@fairlead/core/ids/Ids"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import pg from "pg"
import { createDatabase, type Database, serverSettings, serverUrl } from "./support/databases.ts"
import { table, writeReport } from "./support/report.ts"
import { median, round, summarize } from "./support/stats.ts"

const quick = process.argv.includes("--quick")
const rounds = Number(process.env["FAIRLEAD_BENCH_ROUNDS"] ?? (quick ? 1 : 5))
const seconds = Number(process.env["FAIRLEAD_BENCH_SECONDS"] ?? (quick ? 1 : 4))
/** Connections of every contender. */
const connections = 16
/** Streams that the writers share, as executions that run at one time do. */
const streams = 500

interface Turn {
  readonly perSecond: number
  readonly latencies: ReadonlyArray<number>
}
interface Writers {
  readonly name: string
  readonly turn: () => Promise<Turn>
  readonly turns: Array<Turn>
}

/** `writers` keep writing, one event each at a time, until the time is over. */
const write = async (writers: number, one: (n: number) => Promise<unknown>): Promise<Turn> => {
  const [started, latencies]: [number, Array<number>] = [performance.now(), []]
  const until = started + seconds * 1000
  const writer = async (n: number) => {
    while (performance.now() < until) {
      const begun = performance.now()
      await one(n)
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, n) => writer(n)))
  return { perSecond: (latencies.length * 1000) / (performance.now() - started), latencies }
}

const openLog = (database: Database) => {
  const ids = Ids.layer.pipe(Layer.provide(SecureRandom.layerWebCrypto))
  const stores = PostgresStorage.layer({ url: Redacted.make(database.url), maxConnections: connections })
  return ManagedRuntime.make(Layer.merge(stores, EventFactory.layer.pipe(Layer.provide(ids))))
}

/** Events with a message of 120 characters, about as long as a raw row. */
const append = (n: number) =>
  Effect.gen(function* () {
    const [log, factory] = [yield* EventLog, yield* EventFactory]
    const executionId = ExecutionId.make(`019a0000-0000-7000-8000-${String(n % streams).padStart(12, "0")}`)
    const event = yield* factory.make(
      { aggregateId: executionId, correlationId: "bench" },
      { _tag: "ResultFailed", executionId, error: message, storageType: null }
    )
    yield* log.append(`execution/${executionId}`, [event])
  })
const message = "x".repeat(120)

const rawTable = `create table raw (pos bigint generated always as identity primary key, stream text not null,
  type text not null, data jsonb not null, at timestamptz not null default now())`
const rawInsert = (stream: string) =>
  `insert into raw (stream, type, data) values ('execution-' || ${stream}, 'progress', '{"message":"${message}"}')`

const pgbench = () => {
  const folders = ["/usr/bin", ...postgresFolders()]
  return folders.map((folder) => join(folder, "pgbench")).find(existsSync)
}
const postgresFolders = () => {
  const root = "/usr/lib/postgresql"
  return existsSync(root) ? readdirSync(root).map((version) => join(root, version, "bin")) : []
}

const run = promisify(execFile)
const pgbenchTurn = (program: string, file: string, url: string) => async (): Promise<Turn> => {
  const options = ["-n", "-M", "prepared", "-c", String(connections), "-j", "2", "-T", String(Math.ceil(seconds))]
  const { stdout } = await run(program, [...options, "-f", file, url])
  return { perSecond: Number(/tps = ([\d.]+)/.exec(stdout)?.[1]), latencies: [] }
}

const server = serverUrl()
const settings = await serverSettings(server)
const database = await createDatabase(server, "events")
const raw = await createDatabase(server, "raw")
const scripts = mkdtempSync(join(tmpdir(), "fairlead-bench-"))
const log = openLog(database)
const pool = new pg.Pool({ connectionString: raw.url, max: connections })
// Dropping the database ends connections that the pool has not quite closed by then.
pool.on("error", () => undefined)

const measureAll = async () => {
  await raw.query(rawTable)
  await log.runPromise(append(0))
  const appended = (writers: number): Writers => ({
    name: `EventLog.append, ${writers} writers`,
    turn: () => write(writers, (n) => log.runPromise(append(n))),
    turns: []
  })
  const inserted: Writers = {
    name: `insert through a client of Node, ${connections} writers`,
    turn: () =>
      write(connections, (n) => pool.query({ name: "raw", text: rawInsert("$1::text"), values: [n % streams] })),
    turns: []
  }
  const contenders = [inserted, appended(1), appended(64), appended(1000)]
  const program = pgbench()
  if (program !== undefined) {
    const file = join(scripts, "insert.sql")
    writeFileSync(file, `\\set stream random(1, ${streams})\n${rawInsert(":stream")};\n`)
    contenders.unshift({
      name: `pgbench insert, ${connections} writers`,
      turn: pgbenchTurn(program, file, raw.url),
      turns: []
    })
  }
  for (let turn = 0; turn < rounds; turn++)
    for (let i = 0; i < contenders.length; i++) {
      const each = contenders[(i + turn) % contenders.length]
      if (each !== undefined) each.turns.push(await each.turn())
    }
  return contenders
}
const stopAll = async () => {
  await log.dispose()
  await pool.end()
  await Promise.all([database.drop(), raw.drop()])
  rmSync(scripts, { recursive: true })
}
const contenders = await measureAll().finally(stopAll)

const [reference] = contenders
const rows = contenders.map(({ name, turns }) => {
  const latency = summarize(turns.flatMap(({ latencies }) => latencies))
  const ratios = turns.map(({ perSecond }, turn) => perSecond / (reference?.turns[turn]?.perSecond ?? perSecond))
  return {
    writers: name,
    "events/s": Math.round(median(turns.map(({ perSecond }) => perSecond))),
    "of the first": round(median(ratios)),
    "p50 ms": latency.count === 0 ? "?" : latency.p50,
    "p99 ms": latency.count === 0 ? "?" : latency.p99
  }
})
console.log(
  `PostgreSQL ${settings["version"]}, fsync ${settings["fsync"]}, synchronous_commit ${settings["synchronous_commit"]}`
)
table(rows)
console.log(`written to ${writeReport("events", { settings, rounds, seconds, quick, connections, rows })}`)
