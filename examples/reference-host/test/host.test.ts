/** The host as a real process: what a user sees, what scripts may do to it, and what a kill -9 leaves. */
import { readdirSync, readFileSync } from "node:fs"
import { Schema } from "effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Caller, type HostProcess, logIn, startHost } from "./support/HostProcess.ts"

const submit = async (caller: Caller, script: string, more: object = {}) => {
  const { execution_id: id } = await caller.call("POST", "/executions", {
    script,
    lang: "python",
    lang_version: "3",
    ...more
  })
  return String(id)
}
const result = (caller: Caller, id: string) => caller.call("GET", `/executions/${id}/result?wait_seconds=50`)
const run = async (caller: Caller, script: string, more: object = {}) =>
  result(caller, await submit(caller, script, more))

const residentKib = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

/** Processes of this machine whose command line holds the word. */
const processesWith = (word: string) =>
  readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      return readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(word)
    } catch {
      return false
    }
  })

const until = async (what: string, condition: () => boolean | Promise<boolean>, boundMillis = 20_000) => {
  const end = performance.now() + boundMillis
  while (!(await condition())) {
    if (performance.now() > end) assert.fail(`not within ${boundMillis} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const TranscriptPage = Schema.Struct({
  entries: Schema.Array(Schema.Struct({ at: Schema.String, stream: Schema.String, text: Schema.String })),
  next_cursor: Schema.String,
  ended: Schema.Boolean
})

describe("a host that runs", () => {
  let host: HostProcess
  let caller: Caller
  beforeAll(async () => {
    host = await startHost({ environment: { FAIRLEAD_OUTPUT_RATE_MB: "1024" } })
    caller = await logIn(host.url)
  }, 60_000)
  afterAll(() => host.stop())

  it("shows print lines on the stream while the script still runs, and a reader that reconnects gets exactly the rest", async () => {
    const id = await submit(caller, "import time\nfor i in range(4):\n    print(f'line {i}')\n    time.sleep(0.4)")
    const whole = await frames(host, caller, id)
    const running = whole.findIndex(({ text }) => text.includes("line 0"))
    const ended = whole.findIndex(({ text }) => text.includes('"event_type":"execution_completed"'))
    assert.isTrue(running >= 0 && running < ended)
    assert.isBelow(whole[running]?.atMillis ?? Number.POSITIVE_INFINITY, (whole[ended]?.atMillis ?? 0) - 1000)
    const numbered = whole.filter(({ id }) => id !== undefined)
    for (const [i, frame] of numbered.slice(0, -1).entries()) {
      const rest = (await frames(host, caller, id, frame.id)).filter(({ id }) => id !== undefined)
      const lines = (list: typeof numbered) => list.map(({ text }) => /"data":"([^"]*)"/.exec(text)?.[1] ?? "").join("")
      assert.strictEqual(lines(numbered.slice(0, i + 1)) + lines(rest), lines(numbered))
      assert.include(rest.at(-1)?.text, '"event_type":"result_stored"')
    }
  }, 30_000)

  it("stops a script that loops for ever, with its children, on cancel and by its timeout", async () => {
    const marker = `loop-${Date.now()}`
    const script = `import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'while True: pass', '${marker}'])\nprint('up', flush=True)\nwhile True: pass`
    const id = await submit(caller, script)
    await until("the script is up", async () => (await logs(host, caller, id, "stdout")).length > 0)
    await caller.call("POST", `/executions/${id}/cancel`, { reason: "test" })
    assert.deepInclude(await result(caller, id), { status: "cancelled" })
    await until("no process is left", () => processesWith(marker).length === 0)
    // With the CPU time of several cores, so that the two loops do not run into that limit first.
    const timed = await run(caller, script, { timeout_seconds: 1, cpu_millicores: 8_000 })
    assert.deepInclude(timed, { status: "timeout", error_type: "timeout" })
    await until("no process is left", () => processesWith(marker).length === 0)
  }, 60_000)

  it("keeps the first and the last bytes of 1 GB of output, completes, and stays small itself", async () => {
    const before = residentKib(host.pid)
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, residentKib(host.pid))
    }, 50)
    const script =
      "import sys\nblock = 'x' * (1 << 20)\nfor _ in range(1024):\n    sys.stdout.write(block)\nprint('the end')"
    const answer = await run(caller, script, { timeout_seconds: 60 })
    clearInterval(watch)
    assert.deepInclude(answer, { status: "completed", truncated: true, exit_code: 0, stdout_bytes: 1 << 20 })
    assert.deepInclude(answer, { stdout_written_bytes: (1 << 30) + 8, stderr_written_bytes: 0 })
    assert.match(`${answer["stdout"]}`, /^x{983040}\n\[1072693256 bytes were not kept\]\nx{65528}the end\n$/)
    assert.isBelow(most - before, 120 * 1024, `resident memory grew from ${before} to ${most} KiB`)
  }, 90_000)

  it("ends a script that allocates without end by its limit", async () => {
    const script = "blocks = []\nwhile True:\n    blocks.append(bytearray(8 << 20))"
    const answer = await run(caller, script, { memory_mb: 128, timeout_seconds: 50 })
    assert.deepInclude(answer, { status: "failed", error_type: "resource_limit" })
  }, 60_000)

  it("ends a fork bomb with its execution", async () => {
    const marker = `bomb-${Date.now()}`
    const script = `import os, time\nM = '${marker}'\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.01)`
    const answer = await run(caller, script, { timeout_seconds: 2 })
    assert.include(["timeout", "failed"], answer["status"])
    assert.deepInclude(await run(caller, "print('well')"), { status: "completed", stdout: "well\n" })
  }, 60_000)

  it("tells what was written to both streams in order, with times, while it runs and afterwards", async () => {
    const script = `import sys, time
for i in range(4):
    print(i, file=(sys.stderr if i % 2 else sys.stdout), flush=True)
    time.sleep(0.1)
input()`
    const id = await submit(caller, script)
    const seen: Array<(typeof TranscriptPage.Type)["entries"][number]> = []
    let cursor = ""
    const read = async () => {
      const answer = await caller.call("GET", `/executions/${id}/transcript${cursor}`)
      const page = Schema.decodeUnknownSync(TranscriptPage)(answer)
      seen.push(...page.entries)
      cursor = `?cursor=${page.next_cursor}`
      return page.ended
    }
    await until("all has been read", read)
    assert.deepStrictEqual(
      seen.slice(0, 4).map(({ stream, text }) => `${stream} ${text}`),
      ["stdout 0\n", "stderr 1\n", "stdout 2\n", "stderr 3\n"]
    )
    const times = seen.map(({ at }) => Date.parse(at))
    assert.deepStrictEqual(
      times,
      times.toSorted((a, b) => a - b)
    )
    assert.isAtLeast((times[3] ?? 0) - (times[0] ?? 0), 290)
    assert.include(
      seen
        .slice(4)
        .map(({ text }) => text)
        .join(""),
      "EOFError"
    )
  }, 60_000)

  it("hands binary output on byte for byte", async () => {
    const id = await submit(caller, "import sys\nsys.stdout.buffer.write(bytes(range(256)) * 4)")
    assert.deepInclude(await result(caller, id), { status: "completed", stdout_bytes: 1024 })
    assert.deepStrictEqual(
      [...(await logs(host, caller, id, "stdout"))].slice(0, 256),
      Array.from({ length: 256 }, (_, i) => i)
    )
  })
})

describe("a host that is killed", () => {
  it("adopts 20 running scripts after a restart: true output, true exit code, started once", async () => {
    const first = await startHost({ environment: { FAIRLEAD_MAX_RUNNING: "20" } })
    const caller = await logIn(first.url)
    const script = (n: number) =>
      `import sys, time\nprint('start ${n}', flush=True)\ntime.sleep(3)\nprint('end ${n}')\nsys.exit(${n})`
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => submit(caller, script(n))))
    await until("all are up", async () => {
      const sizes = await Promise.all(ids.map(async (id) => (await logs(first, caller, id, "stdout")).length))
      return sizes.every((size) => size > 0)
    })
    await first.end("SIGKILL")
    const second = await startHost({ dataDir: first.dataDir, environment: { FAIRLEAD_MAX_RUNNING: "20" } })
    try {
      const again = await logIn(second.url)
      for (const [n, id] of ids.entries()) {
        const answer = await result(again, id)
        assert.strictEqual(answer["stdout"], `start ${n}\nend ${n}\n`)
        assert.strictEqual(answer["exit_code"], n)
        assert.strictEqual(answer["attempt"], 1)
      }
    } finally {
      await second.stop()
    }
  }, 90_000)

  it("drains on SIGTERM: ends with 0, and the next start finishes what ran", async () => {
    const first = await startHost()
    const caller = await logIn(first.url)
    const id = await submit(caller, "import time\nprint('a', flush=True)\ntime.sleep(2)\nprint('b')")
    await until("it is up", async () => (await logs(first, caller, id, "stdout")).length > 0)
    assert.strictEqual(await first.end("SIGTERM"), 0, first.output())
    const second = await startHost({ dataDir: first.dataDir })
    try {
      assert.deepInclude(await result(await logIn(second.url), id), { status: "completed", stdout: "a\nb\n" })
    } finally {
      await second.stop()
    }
  }, 60_000)
})

describe("a host that is told to end", () => {
  it("says that it is not ready first, and still does what it is asked for a while", async () => {
    const host = await startHost({ environment: { FAIRLEAD_DRAIN_GRACE_SECONDS: "3" } })
    const caller = await logIn(host.url)
    const ended = host.end("SIGTERM")
    const ready = () => fetch(`${host.url}/api/v1/health/ready`)
    await until("it is not ready", async () => (await ready()).status === 503)
    const script = { script: "echo late", lang: "bash", lang_version: "latest" }
    const response = await fetch(`${host.url}/api/v1/executions?wait_seconds=20`, {
      method: "POST",
      headers: caller.headers,
      body: JSON.stringify(script)
    })
    assert.deepStrictEqual([response.status, response.headers.get("connection")], [200, "close"])
    assert.deepInclude((await response.json()).result, { status: "completed", stdout: "late\n" })
    assert.strictEqual(await ended, 0, host.output())
    await host.stop()
  }, 60_000)
})

describe("a host that cannot start", () => {
  it("names every setting that is wrong, and never its value", async () => {
    const environment = { FAIRLEAD_PORT: "99999", FAIRLEAD_METRICS: "s3cret-value" }
    const refused = await startHost({ environment }).then(
      () => "started",
      (error: Error) => error.message
    )
    assert.include(refused, "FAIRLEAD_PORT")
    assert.include(refused, "FAIRLEAD_METRICS")
    assert.notInclude(refused, "s3cret-value")
  }, 30_000)

  it("refuses a weak secret", async () => {
    const refused = await startHost({ environment: { FAIRLEAD_JWT_SECRET: "changeme" } }).then(
      () => "started",
      (error: Error) => error.message
    )
    assert.include(refused, "FAIRLEAD_JWT_SECRET is weak")
  }, 30_000)

  it("leaves a data folder alone that another host holds, and says who", async () => {
    const first = await startHost()
    try {
      const refused = await startHost({ dataDir: first.dataDir }).then(
        () => "started",
        (error: Error) => error.message
      )
      assert.include(refused, `${first.pid}`)
    } finally {
      await first.stop()
    }
  }, 30_000)
})

interface Frame {
  readonly id: string | undefined
  readonly text: string
  readonly atMillis: number
}

/** Every frame of the stream until the host closes it. */
const frames = async (
  host: HostProcess,
  caller: Caller,
  id: string,
  lastEventId?: string
): Promise<ReadonlyArray<Frame>> => {
  const response = await fetch(`${host.url}/api/v1/events/executions/${id}`, {
    headers: { ...caller.headers, ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) }
  })
  const found: Array<Frame> = []
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of response.body ?? []) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n\n")
    rest = pieces.pop() ?? ""
    for (const text of pieces) found.push({ id: /^id: (.*)$/m.exec(text)?.[1], text, atMillis: performance.now() })
  }
  return found
}

const logs = async (host: HostProcess, caller: Caller, id: string, stream: string) => {
  const response = await fetch(`${host.url}/api/v1/executions/${id}/logs?stream=${stream}`, { headers: caller.headers })
  return new Uint8Array(await response.arrayBuffer())
}
