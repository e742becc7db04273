/** The programs of docs/how-to/embed.md, as they stand there but for the port and the folder. */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import { listening } from "./support/mounted.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const text = readFileSync(join(root, "docs/how-to/embed.md"), "utf8")
const blocks = [...text.matchAll(/^```ts(?: check)?\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code)
const parts = blocks.find((code) => code.includes("export const routes"))
const programs = blocks.filter((code) => code.includes('from "./fairlead.ts"'))

const work = mkdtempSync(join(tmpdir(), "fairlead-how-to-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

const link = (name: string, folder: string) => {
  mkdirSync(dirname(join(work, "node_modules", name)), { recursive: true })
  symlinkSync(realpathSync(join(root, folder, "node_modules", name)), join(work, "node_modules", name))
}
for (const name of ["core", "crypto", "http", "postgres", "process"])
  link(`@fairlead/${name}`, "examples/reference-host")
for (const name of ["@hono/node-server", "express", "fastify", "hono", "koa"]) link(name, "examples/embed-in-service")
link("effect", ".")

const freePort = async () => {
  const { close, url } = await listening(createServer())
  await close()
  return new URL(url).port
}

/** Not as root it takes the other line that the how-to names. */
const ownParts = () => {
  const own = `${parts}`.replaceAll("/var/lib/my-service", join(work, "data"))
  return process.geteuid?.() === 0 ? own : own.replace(/uids: \{.*?\}/, "unsafeScriptsAsHostUser: true")
}

/** Runs it until `used` has answered. */
const running = async (name: string, program: string, used: (url: string) => Promise<void>) => {
  const folder = join(work, name)
  mkdirSync(folder)
  const port = await freePort()
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }')
  writeFileSync(join(folder, "fairlead.ts"), ownParts())
  writeFileSync(join(folder, "program.ts"), program.replaceAll("3000", port))
  const env = { ...process.env, NODE_COMPILE_CACHE: join(work, "cache") }
  const child = spawn(process.execPath, ["--liftoff-only", "program.ts"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"]
  })
  let told = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      told += chunk
    })
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()))
  try {
    const url = `http://127.0.0.1:${port}`
    for (let answered = false; !answered; ) {
      assert.isNull(child.exitCode, told)
      answered = await fetch(`${url}/cp/api/v1/health/ready`).then(
        async (answer) => (await answer.text()) !== "" && answer.status === 200,
        () => new Promise((resolve) => setTimeout(() => resolve(false), 50))
      )
    }
    await used(url)
  } finally {
    child.kill("SIGKILL")
    await ended
  }
}

describe("the how-to", () => {
  it("has a program for each server", () => {
    const named = ["express()", "Fastify()", "new Koa()", "new Hono()", "createServer(handler)"]
    assert.strictEqual(programs.length, named.length)
    for (const name of named)
      assert.isTrue(
        programs.some((code) => code.includes(name)),
        name
      )
  })

  for (const [index, program] of programs.entries())
    it(`program ${index + 1} serves the API under its prefix`, { timeout: 60_000 }, () =>
      running(`${index}`, program, async (url) => {
        const document = await (await fetch(`${url}/cp/openapi.json`)).json()
        assert.strictEqual(document.servers[0].url, "/cp")
        const login = await fetch(`${url}/cp/api/v1/auth/login`, {
          method: "POST",
          body: new URLSearchParams({ username: "nobody", password: "of-this-service" })
        })
        assert.deepStrictEqual([login.status, (await login.json()).code], [401, "CREDENTIALS_REJECTED"])
      })
    )
})
