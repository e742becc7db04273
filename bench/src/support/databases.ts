/** Fresh databases on one server, and what the server says it did for each of them. */
import { readdirSync, readFileSync } from "node:fs"
import pg from "pg"

export interface Database {
  readonly url: string
  query(text: string, values?: ReadonlyArray<unknown>): Promise<ReadonlyArray<Record<string, unknown>>>
  /** Transactions committed so far, reads included. The server counts those of a connection's last second only with its next one. */
  commits(): Promise<number>
  /** CPU time of its server processes in milliseconds; none when the server runs on another machine. */
  backendCpuMillis(): Promise<number | undefined>
  /** Removes it, with whoever is still connected. */
  drop(): Promise<void>
}

/** The server that the benchmark uses. Exits when none is named. */
export const serverUrl = (): string => {
  const url = process.env["FAIRLEAD_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"]
  if (url !== undefined && url !== "") return url
  console.error("a PostgreSQL server is needed: set FAIRLEAD_TEST_DATABASE_URL or DATABASE_URL")
  return process.exit(2)
}

export const createDatabase = async (server: string, label: string): Promise<Database> => {
  const name = `fairlead_bench_${label.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_")}_${process.pid}`
  await once(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  const query = async (text: string, values: ReadonlyArray<unknown> = []) =>
    (await client.query(text, [...values])).rows
  return {
    url: url.href,
    query,
    commits: async () => {
      const [row] = await query("select xact_commit::float8 as commits from pg_stat_database where datname = $1", [
        name
      ])
      return Number(row?.["commits"])
    },
    backendCpuMillis: async () => {
      const rows = await query("select pid from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()", [
        name
      ])
      return cpuMillis(rows.map(({ pid }) => Number(pid)))
    },
    drop: async () => {
      await client.end()
      await once(server, `drop database ${name} with (force)`)
    }
  }
}

/** What matters for comparing: version, and whether a commit waits for the disk. */
export const serverSettings = async (server: string) => {
  const [row] = await once(
    server,
    `select current_setting('server_version') as version, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as synchronous_commit`
  )
  return row ?? {}
}

const once = async (url: string, text: string): Promise<ReadonlyArray<Record<string, unknown>>> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** `/proc` counts hundredths of a second. */
const millisPerTick = 10

const cpuMillis = (pids: ReadonlyArray<number>): number | undefined => {
  const here = new Set(readdirSync("/proc"))
  let millis = 0
  for (const pid of pids) {
    if (!here.has(String(pid))) return undefined
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    if (!stat.includes("(postgres)")) return undefined
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number)
    millis += ((user ?? 0) + (system ?? 0)) * millisPerTick
  }
  return millis
}
