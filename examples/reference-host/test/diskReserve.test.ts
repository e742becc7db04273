/** A disk that scripts or others fill: the host goes on recording, says what is the matter, and gets well by itself. */
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"
import { isRoot } from "./support/ways.ts"

const folder = mkdtempSync(join(tmpdir(), "fairlead-disk-"))
const stranger = join(folder, "of somebody else")
const mebibyte = 1024 ** 2
const reserveMb = 24

const system = (program: string, ...args: ReadonlyArray<string>) => spawnSync(program, args)
const freeMb = () => {
  const { bavail, bsize } = statfsSync(folder)
  return Math.floor((bavail * bsize) / mebibyte)
}
const submit = async (caller: Caller, script: string, more: object = {}) =>
  `${(await caller.call("POST", "/executions", { script, lang: "bash", lang_version: "5", ...more }))["execution_id"]}`
/** Pages that are there may have room for a few more. */
const firstRefusal = async ({ headers }: Caller, url: string) => {
  for (;;) {
    const body = JSON.stringify({ script: `: ${randomBytes(20_000).toString("hex")}`, lang: "bash", lang_version: "5" })
    const answer = await fetch(`${url}/api/v1/executions`, { method: "POST", headers, body })
    if (!answer.ok) return answer
  }
}
const result = (caller: Caller, id: string) => caller.call("GET", `/executions/${id}/result?wait_seconds=30`)
const readiness = async ({ url }: HostProcess) => {
  const answer = await fetch(`${url}/api/v1/health/ready`)
  return { status: answer.status, text: await answer.text() }
}
const until = async (what: string, holds: () => Promise<boolean>) => {
  const end = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`not within 20 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

// Only root may mount a small disk.
describe.skipIf(!isRoot)("a host on a small disk", () => {
  let host: HostProcess
  let caller: Caller
  beforeAll(async () => {
    system("mount", "-t", "tmpfs", "-o", "size=160m,mode=711", "small", folder)
    chmodSync(folder, 0o711)
    const dataDir = join(folder, "data")
    host = await startHost({ dataDir, environment: { FAIRLEAD_DISK_RESERVE_MB: `${reserveMb}` } })
    caller = await logIn(host.url)
  }, 60_000)
  afterAll(async () => {
    await host.end("SIGTERM")
    system("umount", "--lazy", folder)
    rmSync(folder, { recursive: true, force: true })
  })

  it("ends a script at its own limit", { timeout: 60_000 }, async () => {
    const id = await submit(caller, "head -c 20000000 /dev/zero > part; sleep 60", { disk_mb: 8 })
    assert.deepInclude(await result(caller, id), { error_type: "resource_limit", error_cause: "disk" })
  })

  it("ends a script that uses the reserve up, and runs the next one", { timeout: 60_000 }, async () => {
    const script = "while :; do head -c 500000 /dev/zero >> part; sleep 0.02; done"
    const ended = await result(caller, await submit(caller, script, { disk_mb: 1_000, timeout_seconds: 40 }))
    assert.deepInclude(ended, { error_type: "resource_limit", error_cause: "disk_reserve" })
    assert.include(ended["error_message"], "almost full")
    assert.isAtLeast(freeMb(), reserveMb)
    assert.deepInclude(await result(caller, await submit(caller, "echo well")), { stdout: "well\n" })
  })

  it("accepts and lets wait while others fill the disk, says so, and goes on when there is room", {
    timeout: 60_000
  }, async () => {
    writeFileSync(stranger, new Uint8Array((freeMb() - reserveMb / 2) * mebibyte))
    await until("the host says it", async () => {
      const { status, text } = await readiness(host)
      return status === 503 && text.includes("less of its disk is free than is kept in reserve")
    })
    const id = await submit(caller, "echo late")
    assert.deepInclude(await caller.call("GET", `/executions/${id}`), { status: "queued" })
    rmSync(stranger)
    assert.deepInclude(await result(caller, id), { status: "completed", stdout: "late\n" })
    await until("the host is ready", async () => (await readiness(host)).status === 200)
  })

  it("refuses while nothing more can be stored, says so, and goes on when there is room", {
    timeout: 60_000
  }, async () => {
    system("dd", "if=/dev/zero", `of=${stranger}`, "bs=64k")
    assert.strictEqual(freeMb(), 0)
    const refused = await firstRefusal(caller, host.url)
    assert.strictEqual(refused.status, 503)
    assert.deepInclude(await refused.json(), { code: "UNAVAILABLE" })
    await until("the host says it", async () => {
      const { status, text } = await readiness(host)
      return status === 503 && text.includes("its disk is full")
    })
    assert.property(await caller.call("GET", "/executions"), "executions")
    rmSync(stranger)
    await until("the host is ready", async () => (await readiness(host)).status === 200)
    assert.deepInclude(await result(caller, await submit(caller, "echo again")), { stdout: "again\n" })
  })
})
