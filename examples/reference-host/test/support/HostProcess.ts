/** A real host as a child process, on a free port and in a folder of its own. Also what the benchmarks start. */
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const adminPassword = "steady-Anchor-0001"

export interface HostProcess {
  readonly url: string
  readonly pid: number
  readonly dataDir: string
  /** From the start of the process until it listens. */
  readonly startMillis: number
  /** Everything it printed so far. */
  output(): string
  /** The signal that ended it, or its exit code. */
  readonly ended: Promise<string>
  /** Sends the signal and waits for the end; answers with the exit code, or null after a signal. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null>
  /** `end`, then removes the folder. */
  stop(): Promise<void>
}

export interface HostOptions {
  /** A folder that an earlier host left; by default a new one. */
  readonly dataDir?: string
  readonly environment?: Readonly<Record<string, string>>
  /** The user that it runs as; only root may choose one. By default whoever runs the test. */
  readonly uid?: number
  /** A program, with arguments, that becomes the host: `setpriv`. */
  readonly through?: ReadonlyArray<string>
  /** The program and its arguments; by default the reference host. */
  readonly program?: ReadonlyArray<string>
}

/** How Node runs a host, as `npm start` and the command `fairlead` do: the heap grows by little, and what is free goes back to the system. */
export const hostFlags: ReadonlyArray<string> = [
  "--liftoff-only",
  "--max-semi-space-size=8",
  "--heap-growing-percent=30",
  "--no-allocation-site-pretenuring",
  "--disable-warning=ExperimentalWarning"
]
export const hostMemory = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "131072",
  MALLOC_TRIM_THRESHOLD_: "131072"
}

/** Where Node keeps what it compiled: each start takes a quarter less time. */
const compileCache = fileURLToPath(new URL("../../../../node_modules/.cache/node", import.meta.url))

const referenceHost = [fileURLToPath(new URL("../../src/main.ts", import.meta.url)), "serve"]

let started = 0
/** Hosts that run side by side on one machine must not share user ids for their scripts. */
const ownUids = () => {
  if (process.geteuid?.() !== 0) return {}
  const first = 2_000_000_000 + (process.pid % 4096) * 512 + (started++ % 8) * 64
  return { FAIRLEAD_PROCESS_UIDS: `${first}-${first + 63}` }
}

export const startHost = async ({
  dataDir,
  environment,
  program = referenceHost,
  through = [],
  uid
}: HostOptions = {}): Promise<HostProcess> => {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), "fairlead-host-"))
  if (uid !== undefined) chownSync(folder, uid, uid)
  // Users of scripts pass through.
  if (dataDir === undefined) chmodSync(folder, 0o711)
  const startedMillis = performance.now()
  const [command = "", ...args] = [...through, process.execPath, ...hostFlags, ...program]
  const child = spawn(command, args, {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      ...hostMemory,
      NODE_COMPILE_CACHE: compileCache,
      FAIRLEAD_PORT: "0",
      FAIRLEAD_DATA_DIR: folder,
      FAIRLEAD_PROCESS_RUNTIME: "on",
      FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER: "on",
      FAIRLEAD_ADMIN_PASSWORD: adminPassword,
      FAIRLEAD_LOG_LEVEL: "Warn",
      FAIRLEAD_DRAIN_GRACE_SECONDS: "0",
      FAIRLEAD_ENVIRONMENT: "test",
      ...(uid === undefined ? ownUids() : {}),
      ...environment
    },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdio: ["ignore", "pipe", "pipe"]
  })
  let printed = ""
  const keep = (chunk: Buffer) => {
    printed = `${printed}${chunk}`.slice(-100_000)
  }
  child.stdout.on("data", keep)
  child.stderr.on("data", keep)
  const ended = new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(`${signal ?? code}`)))
  const url = await listening(child, () => printed)
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve))
    child.kill(signal)
    return exited
  }
  return {
    url,
    pid: child.pid ?? 0,
    dataDir: folder,
    startMillis: performance.now() - startedMillis,
    output: () => printed,
    ended,
    end,
    stop: async () => {
      await end("SIGTERM")
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const listening = (child: ChildProcess, output: () => string) =>
  new Promise<string>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the host ended with ${code} before it listened:\n${output()}`)))
    child.stdout?.on("data", () => {
      const url = /listens on (http:\/\/\S+)/.exec(output())?.[1]
      if (url !== undefined) resolve(url)
    })
  })

export interface Caller {
  readonly headers: Readonly<Record<string, string>>
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
}

/** Logs in and calls with the bearer token; fails on any answer that is not 2xx. */
export const logIn = async (url: string, username = "admin", password = adminPassword): Promise<Caller> => {
  const request = async (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: unknown
  ): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }
  const { access_token: token } = await request("POST", "/auth/login", {}, { username, password })
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  return { headers, call: (method, path, body) => request(method, path, headers, body) }
}
