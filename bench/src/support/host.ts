/** A real host as a child process, on a free port and in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Host {
  readonly url: string
  readonly pid: number
  readonly startMillis: number
  readonly headers: Readonly<Record<string, string>>
  stop(): Promise<void>
}

const main = fileURLToPath(new URL("../../../examples/reference-host/src/main.ts", import.meta.url))
const password = "bench-Pass-0001"

/** Starts a host that may run processes, and logs in as its administrator. */
export const startHost = async (environment: Readonly<Record<string, string>> = {}): Promise<Host> => {
  const dataDir = mkdtempSync(join(tmpdir(), "fairlead-bench-"))
  const started = performance.now()
  const child = spawn(process.execPath, ["--liftoff-only", "--disable-warning=ExperimentalWarning", main, "serve"], {
    env: {
      ...process.env,
      FAIRLEAD_PORT: "0",
      FAIRLEAD_DATA_DIR: dataDir,
      FAIRLEAD_PROCESS_RUNTIME: "on",
      FAIRLEAD_ADMIN_PASSWORD: password,
      FAIRLEAD_LOG_LEVEL: "Error",
      FAIRLEAD_MAX_ACTIVE_PER_USER: "100000",
      ...environment
    },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const url = await firstUrl(child)
  const startMillis = performance.now() - started
  const stop = async () => {
    child.kill("SIGTERM")
    if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve))
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { url, pid: child.pid ?? 0, startMillis, headers: await logIn(url), stop }
}

const firstUrl = (child: ChildProcess) =>
  new Promise<string>((resolve, reject) => {
    let output = ""
    child.once("exit", (code) => reject(new Error(`the host ended with ${code} before it listened:\n${output}`)))
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      const url = /http:\/\/[\w.]+:\d+/.exec(output)?.[0]
      if (url !== undefined) resolve(url)
    })
  })

const logIn = async (url: string) => {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "admin", password })
  })
  const body: unknown = await response.json()
  if (typeof body !== "object" || body === null || !("access_token" in body)) throw new Error("login failed")
  return { authorization: `Bearer ${body.access_token}`, "content-type": "application/json" }
}
