/**
 * What one account may try against a host, each as a program of its own so that the attacker's work is not measured with the victim's:
 * `node attacks.ts <name> <url> <seconds> <key> <execution>`. Prints how often it was answered with what, as JSON, and closes all it opened.
 */
import { Agent, request } from "node:http"
import { connect, type Socket } from "node:net"
import { gzipSync } from "node:zlib"
import { sleep } from "./waiting.ts"

export interface Target {
  readonly url: string
  readonly key: string
  /** An execution of the account that wrote as much as may be kept. */
  readonly executionId: string
  /** Asked before each call of the attacker. */
  isOver(): boolean
  readonly count: (what: string | number) => void
}

type Attack = (target: Target) => Promise<void>

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

/** Sends the call, reads the answer to its end, and counts it. */
const ask = (
  { count, key, url }: Target,
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {}
) =>
  new Promise<string>((resolve) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) }
    const all = { "x-api-key": key, "content-type": "application/json", ...length, ...headers }
    const call = request(`${url}/api/v1${path}`, { agent, method, headers: all }, (answer) => {
      let text = ""
      answer.on("data", (chunk: Buffer) => {
        if (text.length < 1_000) text += chunk.toString("latin1")
      })
      answer.on("end", () => {
        count(answer.statusCode ?? 0)
        resolve(text)
      })
      answer.on("error", () => resolve(""))
    })
    call.on("error", ({ message }) => {
      count(message)
      resolve("")
    })
    call.end(body)
  })

/** So many callers side by side, each at it until time is up. A refusal costs the host little, so they come again soon. */
const crowd = (target: Target, callers: number, call: (n: number) => Promise<unknown>) =>
  Promise.all(
    Array.from({ length: callers }, async (_, n) => {
      while (!target.isOver()) {
        await call(n)
        await sleep(5)
      }
    })
  )

/** Connections that send the text and read nothing, opened anew when they are cut. */
const unread = async (target: Target, many: number, text: (n: number) => string) => {
  const { hostname, port } = new URL(target.url)
  const open = new Map<number, Socket>()
  const put = (n: number) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      target.count("opened")
      if (text(n) !== "") socket.write(text(n))
    })
    socket.pause()
    socket.on("error", () => {})
    socket.on("close", () => {
      target.count("closed")
      open.delete(n)
    })
    open.set(n, socket)
  }
  while (!target.isOver()) {
    for (let n = 0; n < many; n++) if (!open.has(n)) put(n)
    await sleep(200)
  }
  for (const socket of open.values()) socket.destroy()
}

const head = ({ key, url }: Target, path: string) =>
  `GET /api/v1${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nX-API-Key: ${key}\r\n\r\n`

const flood =
  "import sys\nblock = 'x' * (1 << 20)\nwhile True:\n    sys.stdout.write(block)\n    sys.stderr.write(block)"
const filler =
  "block = b'x' * (1 << 20)\nfile = open('part', 'ab', 0)\nwhile True:\n    try: file.write(block)\n    except OSError: pass"
const submission = (script: string, more: object = {}) =>
  JSON.stringify({ script, lang: "python", lang_version: "3", ...more })
const idIn = (text: string) => /"execution_id":"([^"]+)"/.exec(text)?.[1]

const nested = `{"script":${"[".repeat(500_000)}${"]".repeat(500_000)}}`
const wide = JSON.stringify({ script: "x", args: Array.from({ length: 250_000 }, () => "x") })
const long = JSON.stringify({ script: "x".repeat(1_000_000) })
const fields = `username=${"a&".repeat(500_000)}`
const bomb = gzipSync(Buffer.alloc(500 * 1024 ** 2, "x"))

export const attacks: Readonly<Record<string, Attack>> = {
  "big results at once": async (target) => {
    const { executionId } = target
    const paths = [`/executions/${executionId}/result`, `/executions/${executionId}/logs?limit=4194304`]
    await crowd(target, 64, (n) => ask(target, "GET", paths[n % 2] ?? ""))
  },
  "long lists at once": async (target) => {
    await crowd(target, 64, () => ask(target, "GET", "/executions?limit=200"))
  },
  "big and nested bodies at once": async (target) => {
    const json = [nested, wide, long]
    await crowd(target, 64, (n) => {
      if (n % 5 === 3)
        return ask(target, "POST", "/auth/login", fields, { "content-type": "application/x-www-form-urlencoded" })
      if (n % 5 === 4) return ask(target, "POST", "/executions", bomb, { "content-encoding": "gzip" })
      return ask(target, "POST", "/executions", json[n % 3])
    })
  },
  "unread streams and downloads": async (target) => {
    const { executionId } = target
    const paths = ["/result", "/stream", "/logs?follow=true", "/logs?limit=4194304", "/logs?limit=60000"]
    await unread(target, 1_000, (n) => head(target, `/executions/${executionId}${paths[n % paths.length]}`))
  },
  "long polls": async (target) => {
    const made = await ask(target, "POST", "/executions", submission("import time\ntime.sleep(300)"))
    const id = idIn(made)
    await unread(target, 1_500, () => head(target, `/executions/${id}/result?wait_seconds=60`))
    await ask(target, "POST", `/executions/${id}/cancel`, "{}")
  },
  "silent connections": async (target) => {
    const starts = ["", "GET /api/v1/health/live HTTP/1.1\r\n", "POST /api/v1/executions HTTP/1.1\r\nHost: h\r\n"]
    await unread(target, 3_000, (n) => starts[n % starts.length] ?? "")
  },
  "floods of output": async (target) => {
    const started: Array<string> = []
    await crowd(target, 4, async () => {
      const id = idIn(await ask(target, "POST", "/executions", submission(flood, { output_bytes: 10 * 1024 ** 2 })))
      if (id !== undefined) started.push(id)
      await sleep(500)
    })
    for (const id of started) await ask(target, "POST", `/executions/${id}/cancel`, "{}")
  },
  "full disk": async (target) => {
    const started: Array<string> = []
    await crowd(target, 4, async () => {
      const id = idIn(await ask(target, "POST", "/executions", submission(filler, { disk_mb: 10_240 })))
      if (id !== undefined) started.push(id)
      await sleep(500)
    })
    for (const id of started) await ask(target, "POST", `/executions/${id}/cancel`, "{}")
  },
  "starts that are planned for later": async (target) => {
    const later = () => submission("print(1)", { run_at: new Date(Date.now() + 86_400_000).toISOString() })
    const started: Array<string> = []
    await crowd(target, 16, async () => {
      const id = idIn(await ask(target, "POST", "/executions", later()))
      if (id !== undefined) started.push(id)
    })
    for (const id of started) await ask(target, "POST", `/executions/${id}/cancel`, "{}")
  }
}

const main = async ([name = "", url = "", seconds = "", key = "", executionId = ""]: ReadonlyArray<string>) => {
  const end = performance.now() + Number(seconds) * 1000
  const counts = new Map<string, number>()
  const count = (what: string | number) => void counts.set(`${what}`, (counts.get(`${what}`) ?? 0) + 1)
  await attacks[name]?.({ url, key, executionId, isOver: () => performance.now() > end, count })
  agent.destroy()
  console.log(JSON.stringify(Object.fromEntries(counts)))
}

if (import.meta.main) await main(process.argv.slice(2))
