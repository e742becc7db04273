/**
 * One ordinary account against a host, with one kind of abuse after the other. Meanwhile another user works: what they wait for, and how
 * much memory the host takes, is what is judged; and whether all of it is over soon after the abuse.
 */
import { execFile, spawnSync } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import {
  type Caller,
  type HostProcess,
  logIn,
  startHost
} from "../../../examples/reference-host/test/support/HostProcess.ts"
import { round, summarize } from "../support/stats.ts"
import { attacks } from "./attacks.ts"
import { sleep, until } from "./waiting.ts"

export interface AbuseOptions {
  /** Of each attack. */
  readonly seconds: number
  /** Only attacks whose name contains it. */
  readonly only: string
  readonly log: (line: string) => void
}

export interface AttackReport {
  readonly name: string
  /** How often the attacker was answered with what. */
  readonly answers: Readonly<Record<string, number>>
  /** Most resident memory over what the host had when it was warm. */
  readonly grownMib: number
  /** Of another user's calls. */
  readonly p99Millis: number
  readonly calls: number
  /** How many of them were answered 503 and made again; the wait is in `p99Millis`. */
  readonly repeated: number
  /** From the end of the attack until nothing of it was left. */
  readonly backMillis: number
  /** Resident memory over what the host had when it was warm, by then. */
  readonly leftMib: number
}

export interface AbuseReport {
  readonly baseMib: number
  readonly attacks: ReadonlyArray<AttackReport>
  readonly violations: ReadonlyArray<string>
}

const [mostGrownMib, mostP99Millis, mostBackMillis] = [100, 500, 10_000]
const password = "Misbehaving-0001"
const attacker = fileURLToPath(new URL("attacks.ts", import.meta.url))

export const abuse = async ({ log, only, seconds }: AbuseOptions): Promise<AbuseReport> => {
  const disk = smallDisk()
  // One account makes all attacks: none of them may end at what the floods of another have left.
  const environment = { FAIRLEAD_LOG_LEVEL: "Error", FAIRLEAD_MAX_STORED_OUTPUT_MB_PER_USER: "0" }
  const host = await startHost({ dataDir: disk.folder, environment })
  const kill = () => {
    process.kill(host.pid, "SIGKILL")
    disk.remove()
  }
  process.once("exit", kill)
  try {
    const [bad, good] = [await userOf(host, "mallory"), await userOf(host, "wendy")]
    const executionId = await bigOutput(bad.caller)
    await warmUp(good.caller, bad, executionId)
    const baseMib = residentMib(host)
    log(`abuse: the host has ${round(baseMib)} MiB`)
    const reports: Array<AttackReport> = []
    const violations: Array<string> = []
    for (const name of Object.keys(attacks).filter((each) => each.includes(only))) {
      if (name === "full disk" && !disk.isSmall) {
        log("abuse: full disk: left out, since only root can mount a small one")
        continue
      }
      const report = await attacked({ host, bad, good: good.caller, name, seconds, executionId, baseMib })
      const { answers, backMillis, grownMib, leftMib, p99Millis, repeated } = report
      log(
        `abuse: ${name}: ${grownMib} MiB, p99 ${p99Millis} ms, back after ${backMillis} ms to ${leftMib} MiB, ${JSON.stringify(answers)}, ${repeated} repeated`
      )
      reports.push(report)
      if (grownMib > mostGrownMib) violations.push(`${name}: the host grew by ${grownMib} MiB`)
      if (p99Millis > mostP99Millis) violations.push(`${name}: another user's p99 was ${p99Millis} ms`)
      if (backMillis > mostBackMillis) violations.push(`${name}: not back after ${backMillis} ms`)
    }
    return { baseMib: round(baseMib), attacks: reports, violations }
  } catch (error) {
    throw new Error(`${String(error)}\n${host.output()}`)
  } finally {
    process.off("exit", kill)
    await host.end("SIGTERM")
    disk.remove()
  }
}

/** Somewhere for the host's data that scripts can fill: 1 GiB of memory, if whoever runs this may mount it. */
const smallDisk = () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-abuse-"))
  const isSmall = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1g", "abuse", folder]).status === 0
  // Users of scripts pass through.
  chmodSync(folder, 0o711)
  const remove = () => {
    if (isSmall) spawnSync("umount", ["--lazy", folder])
    rmSync(folder, { recursive: true, force: true })
  }
  return { folder, isSmall, remove }
}

interface Account {
  readonly caller: Caller
  readonly key: string
}

const userOf = async ({ url }: HostProcess, username: string): Promise<Account> => {
  const body = { username, email: `${username}@example.com`, password }
  const admin = await logIn(url)
  await admin.call("POST", "/auth/register", body)
  const caller = await logIn(url, username, password)
  const { key } = await caller.call("POST", "/auth/api-keys", { name: "abuse" })
  return { caller, key: `${key}` }
}

/** An execution with as much output as a host keeps by default maxima, half of it multi-byte. */
const bigOutput = async ({ call }: Caller) => {
  const script =
    "import sys\nfor _ in range(10):\n    sys.stdout.write('xä' * 349525)\n    sys.stderr.write('y' * (1 << 20))"
  const body = { script, lang: "python", lang_version: "3", output_bytes: 10 * 1024 ** 2 }
  const { execution_id: id } = await call("POST", "/executions", body)
  await until("the big output is there", async () => ((await isOver(call, `${id}`)) ? true : undefined), 60_000, 200)
  return `${id}`
}
const isOver = async (call: Caller["call"], id: string) =>
  !["queued", "scheduled", "running"].includes(`${(await call("GET", `/executions/${id}`))["status"]}`)

/** Code is compiled, and pools and heap have what calls of every kind need, one after the other, before anything is measured. */
const warmUp = async (good: Caller, { caller, key }: Account, executionId: string) => {
  for (let n = 0; n < 300; n++) await work(good, n)
  for (let n = 0; n < 5; n++) {
    await caller.call("GET", `/executions/${executionId}/result`)
    await caller.call("GET", "/executions?limit=200")
    const body = { script: "x".repeat(40_000), lang: "none", lang_version: "0", args: Array(90).fill(key.repeat(80)) }
    await caller.call("POST", "/executions", body).catch(() => "refused, as it should be")
  }
}

/** What an ordinary user does: mostly looks, sometimes runs a script. */
const work = async ({ call }: Caller, n: number) => {
  if (n % 25 === 0) return call("POST", "/executions", { script: "print(1)", lang: "python", lang_version: "3" })
  return call("GET", n % 2 === 0 ? "/executions?limit=10" : "/auth/me")
}

interface Attacked {
  readonly host: HostProcess
  readonly bad: Account
  readonly good: Caller
  readonly name: string
  readonly seconds: number
  readonly executionId: string
  readonly baseMib: number
}

const attacked = async ({ bad, baseMib, executionId, good, host, name, seconds }: Attacked): Promise<AttackReport> => {
  let most = residentMib(host)
  const watch = setInterval(() => {
    most = Math.max(most, residentMib(host))
  }, 50)
  const waits: Array<number> = []
  let [isOn, repeated] = [true, 0]
  const victim = async () => {
    for (let n = 0; isOn; n++) {
      const began = performance.now()
      await persevere(
        () => work(good, n),
        () => repeated++
      )
      waits.push(performance.now() - began)
      await sleep(20)
    }
  }
  const args = [attacker, name, host.url, `${seconds}`, bad.key, executionId]
  const attack = promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", ...args])
  const stop = () => {
    isOn = false
  }
  const [{ stdout }] = await Promise.all([attack.finally(stop), victim()])
  const ended = performance.now()
  await until("nothing of the attack is left", () => isQuiet(host, good), 60_000, 100)
  clearInterval(watch)
  return {
    name,
    answers: JSON.parse(stdout),
    grownMib: round(most - baseMib),
    p99Millis: summarize(waits).p99,
    calls: waits.length,
    repeated,
    backMillis: Math.round(performance.now() - ended),
    leftMib: round(residentMib(host) - baseMib)
  }
}

/**
 * As a client does it: asks again for what the host could not do just now, when the host says so, at most 30 times. The
 * wait counts.
 */
const persevere = async (call: () => Promise<unknown>, repeats: () => void, left = 30): Promise<unknown> => {
  try {
    return await call()
  } catch (error) {
    const [, seconds] = /: 503 .*"retry_after_seconds":(\d+)/s.exec(String(error)) ?? []
    if (seconds === undefined || left === 0) throw error
    repeats()
    await sleep(Number(seconds) * 1_000)
    return persevere(call, repeats, left - 1)
  }
}

/** No stream, no connection beyond a few, no script, and an answer at once. */
const isQuiet = async (host: HostProcess, good: Caller) => {
  const began = performance.now()
  const { active_connections: streams } = await good.call("GET", "/events/health")
  const { total } = await good.call("GET", "/executions?status=running&limit=1")
  const isQuick = performance.now() - began < mostP99Millis
  return streams === 0 && total === 0 && isQuick && openConnections(host) < 50 ? true : undefined
}

const openConnections = ({ url }: HostProcess) => {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, "0")
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .filter((line) => line.includes(`0100007F:${port} `) && line.includes(" 01 ")).length
}

const residentMib = ({ pid }: HostProcess) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024
