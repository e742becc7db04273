/** The same API under `/cp` of four servers, beside a route of their own: register, log in, run a script, read its result. */
import { randomBytes } from "node:crypto"
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeMount from "@fairlead/http/node/NodeMount"
import * as WebMount from "@fairlead/http/web/WebMount"
import { serve } from "@hono/node-server"
import { embedded } from "fairlead/embedded"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { expressApp } from "../src/express.ts"
import { fastifyApp } from "../src/fastify.ts"
import { honoApp } from "../src/hono.ts"
import { nodeServer } from "../src/nodeHttp.ts"

const dataDir = mkdtempSync(join(tmpdir(), "fairlead-embed-"))
const options = (name: string) => ({
  dataDir: join(dataDir, name),
  secret: randomBytes(48).toString("base64"),
  encryptionKey: new Uint8Array(randomBytes(32)),
  unsafeScriptsAsHostUser: true,
  registration: "open" as const
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const listen = (server: Server) =>
  new Promise<string>((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : address}`)
    })
  )
const close = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const call = async (url: string, method: string, path: string, headers: Record<string, string>, body?: object) => {
  const response = await fetch(`${url}/cp/api/v1${path}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const answer: Record<string, unknown> = JSON.parse(await response.text())
  return { status: response.status, answer }
}

/** What a user of the surrounding service does. */
const useIt = async (url: string, username: string) => {
  assert.strictEqual(await (await fetch(`${url}/own`)).text(), "own")
  const password = "embedded-Pass-1"
  const registered = await call(
    url,
    "POST",
    "/auth/register",
    {},
    { username, email: `${username}@example.com`, password }
  )
  assert.strictEqual(registered.status, 201)
  const { answer } = await call(url, "POST", "/auth/login", {}, { username, password })
  const headers = { authorization: `Bearer ${answer["access_token"]}` }
  const submitted = await call(url, "POST", "/executions", headers, {
    script: "echo embedded",
    lang: "bash",
    lang_version: "5"
  })
  const result = await call(
    url,
    "GET",
    `/executions/${submitted.answer["execution_id"]}/result?wait_seconds=20`,
    headers
  )
  assert.deepInclude(result.answer, { status: "completed", stdout: "embedded\n" })
  const stream = await fetch(`${url}/cp/api/v1/events/executions/${submitted.answer["execution_id"]}`, { headers })
  assert.include(await stream.text(), '"event_type":"result_stored"')
  assert.strictEqual((await call(url, "GET", "/nowhere", headers)).status, 404)
}

describe("embedded under a prefix, by node listeners", () => {
  let fairlead: Awaited<ReturnType<typeof NodeMount.start>>
  beforeAll(async () => {
    fairlead = await NodeMount.start(embedded(options("node")), { prefix: "/cp" })
  }, 60_000)
  afterAll(() => fairlead.dispose())

  it("serves in Express", async () => {
    const server = createServer(expressApp(fairlead))
    await useIt(await listen(server), "in-express")
    await close(server)
  }, 30_000)

  it("serves in Fastify", async () => {
    const app = fastifyApp(fairlead)
    await useIt(await app.listen({ host: "127.0.0.1", port: 0 }), "in-fastify")
    await app.close()
  }, 30_000)

  it("serves in a bare node:http server", async () => {
    const server = nodeServer(fairlead)
    await useIt(await listen(server), "in-node")
    await close(server)
  }, 30_000)
})

describe("the data of the service", () => {
  it("is out of sight for scripts", { timeout: 60_000 }, async () => {
    // Not below /tmp and /var/tmp, which scripts do not see anyway.
    const cache = fileURLToPath(new URL("../../../node_modules/.cache", import.meta.url))
    mkdirSync(cache, { recursive: true })
    const own = mkdtempSync(join(cache, "fairlead-embed-"))
    const account = { username: "ursula", password: "a-Longer-Pass-1" }
    const admin = { ...account, email: "ursula@example.com" }
    const fairlead = await NodeMount.start(embedded({ ...options("own"), dataDir: join(own, "data"), admin }), {
      prefix: "/cp"
    })
    const server = nodeServer(fairlead)
    const url = await listen(server)
    try {
      chmodSync(own, 0o711)
      const { answer } = await call(url, "POST", "/auth/login", {}, account)
      const headers = { authorization: `Bearer ${answer["access_token"]}` }
      const script = `ls -A ${join(own, "data")} 2>/dev/null | wc -l`
      const submitted = await call(url, "POST", "/execute", headers, { script, lang: "bash", lang_version: "5" })
      const path = `/executions/${submitted.answer["execution_id"]}/result?wait_seconds=20`
      assert.deepInclude((await call(url, "GET", path, headers)).answer, { stdout: "0\n" })
    } finally {
      await close(server)
      await fairlead.dispose()
      rmSync(own, { recursive: true, force: true })
    }
  })
})

describe("embedded as a web-standard function", () => {
  it("serves in Hono", async () => {
    const fairlead = await WebMount.start(embedded(options("web")), { prefix: "/cp" })
    const server = await new Promise<{ url: string; close(): void }>((resolve) => {
      const started = serve({ fetch: honoApp(fairlead.handler).fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) =>
        resolve({ url: `http://127.0.0.1:${port}`, close: () => started.close() })
      )
    })
    await useIt(server.url, "in-hono")
    server.close()
    await fairlead.dispose()
  }, 60_000)
})
