/** A PostgreSQL server of the proof's own, on loopback, in a folder of its own. Uses the newest installed binaries. */
import { execFile, execFileSync, spawn } from "node:child_process"
import { chownSync, globSync, mkdirSync, openSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { sleep, until } from "./waiting.ts"

/** `fast` cuts connections and writes a checkpoint; `immediate` is a crash. */
export type StopMode = "fast" | "immediate"

export interface PostgresServer {
  /** Makes a database and answers with its address. */
  database(name: string): string
  /** Runs statements in a database and answers with the rows, columns separated by `|`. */
  query(database: string, sql: string): Promise<ReadonlyArray<string>>
  restart(mode: StopMode, downMillis: number): Promise<void>
  stop(): Promise<void>
  /** At once, without waiting. */
  kill(): void
}

const signals = { fast: "SIGINT", immediate: "SIGQUIT" } as const

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(address)))
    })
  })

/** The server refuses to run as root: then it runs as an unprivileged account. */
const account = () => {
  if (process.geteuid?.() !== 0) return undefined
  const idOf = (flag: string, name: string) =>
    Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }))
  for (const name of ["postgres", "nobody"]) {
    try {
      return { uid: idOf("-u", name), gid: idOf("-g", name) }
    } catch {
      // The next account.
    }
  }
  throw new Error("there is neither a user postgres nor a user nobody")
}

const binaries = () => {
  const [newest] = globSync("/usr/lib/postgresql/*/bin").sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
  if (newest === undefined) throw new Error("PostgreSQL is not installed: apt-get install postgresql")
  return newest
}

export const startPostgres = async (folder: string): Promise<PostgresServer> => {
  const [bin, port, as] = [binaries(), await freePort(), account()]
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (as !== undefined) chownSync(folder, as.uid, as.gid)
  const data = join(folder, "data")
  const address = ["-h", "127.0.0.1", "-p", `${port}`, "-U", "postgres"]
  const words = ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
  execFileSync(join(bin, "initdb"), words, { ...as, cwd: "/", stdio: "pipe" })
  const log = openSync(join(folder, "log"), "a")

  const begin = async () => {
    const settings = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]
    const child = spawn(join(bin, "postgres"), ["-D", data, "-k", folder, "-p", `${port}`, ...settings], {
      ...as,
      cwd: "/",
      stdio: ["ignore", log, log]
    })
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    const isReady = () => {
      try {
        execFileSync(join(bin, "pg_isready"), ["-q", ...address.slice(0, 4)], { stdio: "pipe" })
        return true
      } catch {
        return undefined
      }
    }
    await until("PostgreSQL is up", isReady, 30_000, 100)
    return { child, ended }
  }
  let running = await begin()
  const end = async (mode: StopMode) => {
    running.child.kill(signals[mode])
    await running.ended
  }

  return {
    database: (name) => {
      execFileSync(join(bin, "createdb"), [...address, name], { stdio: "pipe" })
      return `postgres://postgres@127.0.0.1:${port}/${name}`
    },
    query: async (database, sql) => {
      const words = [...address, "-d", database, "-AtqX", "-v", "ON_ERROR_STOP=1", "-c", sql]
      const { stdout } = await promisify(execFile)(join(bin, "psql"), words, { cwd: "/" })
      return stdout.split("\n").filter((row) => row !== "")
    },
    restart: async (mode, downMillis) => {
      await end(mode)
      await sleep(downMillis)
      running = await begin()
    },
    stop: () => end("fast"),
    kill: () => void running.child.kill("SIGQUIT")
  }
}
