/** The hosts of a proof: real processes that are started, killed, frozen and thawed by name, and a client that asks whoever answers. */
import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { type HostProcess, startHost } from "../../../examples/reference-host/test/support/HostProcess.ts"
import { sleep, until } from "./waiting.ts"

export interface InstancePlan {
  readonly name: string
  /** Hosts with the same folder serve the same place. */
  readonly dataDir: string
  readonly uids: string
}

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface Fleet {
  readonly names: ReadonlyArray<string>
  isUp(name: string): boolean
  /** Of a host that is up and not frozen. */
  urlOf(name: string): string | undefined
  start(name: string, environment?: Readonly<Record<string, string>>): Promise<HostProcess>
  /** Sends the signal and waits for the end. */
  end(name: string, signal: "SIGTERM" | "SIGKILL"): Promise<void>
  freeze(name: string): void
  thaw(name: string): void
  /** Waits until the host has ended by itself. */
  gone(name: string, boundMillis: number): Promise<string>
  /** Asks hosts, one after the other, until one gives an answer below 500 that is not 429. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** The whole body of an answer that is not JSON. */
  read(path: string, headers: Readonly<Record<string, string>>): Promise<string>
  /** Ends every host, and has `fairlead verify` read the database; answers with what it says is wrong. */
  verify(ledgerFile: string): Promise<ReadonlyArray<string>>
  /** Hosts that ended although nobody had told them to, and how. */
  readonly deaths: ReadonlyArray<string>
  /** What the hosts printed, each cut to the end of it. */
  output(): string
  stop(): Promise<void>
}

const program = (path: string) => fileURLToPath(new URL(`../../../examples/reference-host/${path}`, import.meta.url))
const [main, referenceHost] = [program("test/proof/main.ts"), program("src/main.ts")]

/** It ends with 1 when something is wrong, and has said what. */
const whatIsWrong = (error: { readonly stdout?: string; readonly stderr?: string }) => ({
  stdout: `${error.stdout ?? ""}${error.stderr ?? ""}`
})
const askMillis = 10_000
const patienceMillis = 120_000

export const makeFleet = (plans: ReadonlyArray<InstancePlan>, common: Readonly<Record<string, string>>): Fleet => {
  const secrets = {
    FAIRLEAD_JWT_SECRET: randomBytes(36).toString("base64"),
    FAIRLEAD_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`
  }
  const running = new Map<string, HostProcess>()
  const frozen = new Set<string>()
  const told = new Set<number>()
  const deaths: Array<string> = []
  const printed: Array<string> = []
  let turn = 0

  const planOf = (name: string) => {
    const found = plans.find((plan) => plan.name === name)
    if (found === undefined) throw new Error(`no host ${name}`)
    return found
  }
  const hostOf = (name: string) => {
    const found = running.get(name)
    if (found === undefined) throw new Error(`host ${name} is not up`)
    return found
  }
  const forget = (name: string, host: HostProcess) => {
    if (running.get(name) !== host) return
    running.delete(name)
    frozen.delete(name)
    printed.push(`${name} (${host.pid}): ${host.output().slice(-4_000)}`)
    printed.splice(0, printed.length - 40)
  }
  const urlOf = (name: string) => (frozen.has(name) ? undefined : running.get(name)?.url)
  const next = () => {
    const urls = [...running.keys()].flatMap((name) => urlOf(name) ?? [])
    return urls[turn++ % Math.max(1, urls.length)]
  }

  const request = async (method: string, path: string, headers: Readonly<Record<string, string>>, body?: unknown) => {
    const end = performance.now() + patienceMillis
    let last = "no host is up"
    while (performance.now() < end) {
      const url = next()
      try {
        if (url === undefined) throw new Error("no host is up")
        const response = await fetch(`${url}/api/v1${path}`, {
          method,
          headers,
          signal: AbortSignal.timeout(askMillis),
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        const text = await response.text()
        if (response.status < 500 && response.status !== 429) return { status: response.status, text }
        last = `${response.status} ${text.slice(0, 300)}`
      } catch (error) {
        last = String(error)
      }
      await sleep(100)
    }
    throw new Error(`${method} ${path} was not answered within ${patienceMillis} ms: ${last}`)
  }

  const stop = async () => {
    for (const name of [...running.keys()]) {
      const host = hostOf(name)
      told.add(host.pid)
      if (frozen.has(name)) process.kill(host.pid, "SIGCONT")
      await host.end("SIGTERM")
      forget(name, host)
    }
  }

  return {
    names: plans.map(({ name }) => name),
    isUp: (name) => running.has(name),
    urlOf,
    start: async (name, environment = {}) => {
      const { dataDir, uids } = planOf(name)
      const host = await startHost({
        dataDir,
        program: [main],
        environment: {
          ...common,
          ...secrets,
          FAIRLEAD_INSTANCE_NAME: name,
          FAIRLEAD_AUTH_MODE: "disabled",
          FAIRLEAD_DOCS: "off",
          ...(process.geteuid?.() === 0 ? { FAIRLEAD_PROCESS_UIDS: uids } : {}),
          ...environment
        }
      })
      running.set(name, host)
      void host.ended.then((how) => {
        if (!told.has(host.pid)) deaths.push(`${name} (${host.pid}) ended by itself: ${how}`)
        forget(name, host)
      })
      return host
    },
    end: async (name, signal) => {
      const host = hostOf(name)
      told.add(host.pid)
      if (frozen.has(name)) process.kill(host.pid, "SIGCONT")
      await host.end(signal)
      forget(name, host)
    },
    freeze: (name) => {
      frozen.add(name)
      process.kill(hostOf(name).pid, "SIGSTOP")
    },
    thaw: (name) => {
      process.kill(hostOf(name).pid, "SIGCONT")
      frozen.delete(name)
    },
    gone: (name, boundMillis) => {
      const host = running.get(name)
      if (host === undefined) return Promise.resolve("it was gone")
      let how: string | undefined
      void host.ended.then((ended) => {
        how = ended
      })
      return until(`${name} ends`, () => how, boundMillis)
    },
    ask: async (method, path, body, headers = {}) => {
      const { status, text } = await request(method, path, { "content-type": "application/json", ...headers }, body)
      return { status, body: JSON.parse(text) }
    },
    read: async (path, headers) => (await request("GET", path, headers)).text,
    verify: async (ledgerFile) => {
      await stop()
      const [first] = plans
      const environment = { ...process.env, ...common, FAIRLEAD_DATA_DIR: first?.dataDir }
      const words = [referenceHost, "verify", "--json", "--ledger", ledgerFile, "--active-older-than", "60"]
      const options = { env: environment, maxBuffer: 64 * 1024 ** 2 }
      const { stdout } = await promisify(execFile)(process.execPath, words, options).catch(whatIsWrong)
      const lines = stdout.split("\n").filter((line) => line.startsWith("{"))
      const isRead = lines.some((line) => line.startsWith('{"summary"'))
      return isRead ? lines.filter((line) => !line.startsWith('{"summary"')) : [`fairlead verify said: ${stdout}`]
    },
    deaths,
    output: () =>
      [...printed, ...[...running].map(([name, host]) => `${name}: ${host.output().slice(-4_000)}`)].join("\n"),
    stop
  }
}
