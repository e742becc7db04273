/** `fairlead verify` as a real process, on what a host wrote that was killed. */
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

interface Verified {
  readonly code: number
  readonly lines: ReadonlyArray<string>
  readonly stderr: string
}

const verify = (dataDir: string, ...flags: ReadonlyArray<string>) =>
  new Promise<Verified>((resolve) => {
    execFile(
      process.execPath,
      ["--liftoff-only", "--disable-warning=ExperimentalWarning", main, "verify", ...flags],
      { env: { PATH: process.env["PATH"], HOME: process.env["HOME"], FAIRLEAD_DATA_DIR: dataDir } },
      (error, stdout, stderr) =>
        resolve({
          code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1,
          lines: stdout.split("\n").filter((line) => line !== ""),
          stderr
        })
    )
  })

/** Changes rows behind the back of every host. */
const edit = (dataDir: string, statement: string) =>
  Effect.runPromise(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(
      Effect.provide(PgliteClient.layer({ directory: join(dataDir, "database") }))
    )
  )

const submit = async (caller: Caller, script: string) => {
  const { execution_id: id } = await caller.call("POST", "/executions", { script, lang: "python", lang_version: "3" })
  return String(id)
}
const result = (caller: Caller, id: string) => caller.call("GET", `/executions/${id}/result?wait_seconds=30`)

const runs = async (caller: Caller, id: string) => {
  const end = performance.now() + 20_000
  while ((await caller.call("GET", `/executions/${id}`))["status"] !== "running") {
    if (performance.now() > end) assert.fail("it does not run within 20 s")
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe("fairlead verify", () => {
  let host: HostProcess
  let completed: string
  let running: string
  let whileServed: Verified

  beforeAll(async () => {
    host = await startHost()
    const caller = await logIn(host.url)
    completed = await submit(caller, "print('hello')")
    await result(caller, completed)
    const failed = await submit(caller, "import sys\nprint('oops', file=sys.stderr)\nsys.exit(3)")
    await result(caller, failed)
    await caller.call("DELETE", `/executions/${failed}`)
    whileServed = await verify(host.dataDir)
    running = await submit(caller, "import time\ntime.sleep(5)")
    await runs(caller, running)
    const many = Array.from({ length: 10 }, (_, n) => submit(caller, `print(${n})`))
    await Promise.all(many)
    await host.end("SIGKILL")
  }, 60_000)
  afterAll(() => rmSync(host.dataDir, { recursive: true, force: true }))

  it("leaves a database alone that a host holds, and says who", () => {
    assert.deepEqual([whileServed.code, whileServed.lines], [1, []])
    assert.include(whileServed.stderr, `is in use by process ${host.pid}: stop that process first.`)
  })

  it("says in one line that all holds in what a killed host left", async () => {
    const { code, lines, stderr } = await verify(host.dataDir)
    assert.deepEqual([code, lines.length, stderr], [0, 1, ""], lines.join("\n"))
    assert.match(lines[0] ?? "", /^fairlead verify: 12 executions, 12 sagas, .*: every invariant holds$/)
  }, 30_000)

  it("names what has not ended, and what a ledger says otherwise", async () => {
    const ledger = join(host.dataDir, "ledger")
    writeFileSync(ledger, `${completed} 1 7 0\n${completed} 1 8 1\n`)
    const { code, lines, stderr } = await verify(host.dataDir, "--active-older-than", "0", "--ledger", ledger)
    assert.strictEqual(code, 1)
    assert.isTrue(lines.some((line) => line.startsWith(`active_too_long  executions ${running}: it is running after`)))
    assert.include(lines, `ledger  ledger line 2: attempt 1 of ${completed} ran before`)
    assert.match(stderr, /^fairlead: \d+ violations in 12 executions, /)
  }, 30_000)

  it("names a row that was changed, for people and for machines", async () => {
    // Output may lie in several rows, as the host received it: the last one grows.
    const last = `where execution_id = '${completed}' and byte_offset =
      (select max(byte_offset) from execution_output where execution_id = '${completed}')`
    await edit(host.dataDir, `update execution_output set bytes = bytes || 'x' ${last}`)
    const row = `execution_output ${completed}/1/stdout`
    const detail = "7 bytes are stored, the outcome says 6"
    const { code, lines } = await verify(host.dataDir)
    assert.deepEqual([code, lines], [1, [`output_size  ${row}: ${detail}`]])
    const json = await verify(host.dataDir, "--json")
    const [violation, end] = json.lines.map((line) => JSON.parse(line))
    assert.deepEqual([json.code, violation], [1, { invariant: "output_size", row, detail }])
    assert.include(end.summary, { executions: 12, violations: 1 })
    await edit(host.dataDir, `update execution_output set bytes = substring(bytes for length(bytes) - 1) ${last}`)
  }, 60_000)

  it("finds nothing that has not ended once another host has healed what the killed one left", async () => {
    const healer = await startHost({ dataDir: host.dataDir })
    const caller = await logIn(healer.url)
    const { executions } = await caller.call("GET", "/executions?limit=100")
    assert.strictEqual(Array.isArray(executions) ? executions.length : -1, 12)
    for (const { execution_id: id } of Array.isArray(executions) ? executions : []) await result(caller, id)
    await healer.end("SIGTERM")
    const { code, lines } = await verify(host.dataDir, "--active-older-than", "0")
    assert.deepEqual([code, lines.length], [0, 1], lines.join("\n"))
  }, 60_000)
})

describe("fairlead verify without anything to verify", () => {
  it("says so, and makes no database", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-verify-"))
    try {
      const missing = await verify(folder)
      assert.deepEqual([missing.code, missing.lines], [1, []])
      assert.include(missing.stderr, `fairlead: there is no database in ${join(folder, "database")}`)
      assert.deepEqual(await verify(folder), missing)
      await edit(folder, "select 1")
      assert.include((await verify(folder)).stderr, "fairlead: the database has no tables of Fairlead.")
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }, 30_000)
})
