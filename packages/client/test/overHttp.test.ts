import { connect as connectTcp, createServer, type Socket } from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { FairleadClient, login } from "@fairlead/client"
import { register, startHost, type TestHost } from "./support/TestHost.ts"

let host: TestHost
let address: string
beforeAll(async () => {
  host = await startHost()
  address = await host.listen()
})
afterAll(() => host.stop())

/** Stands between client and host, and can cut what goes through. */
const startProxy = async (target: URL) => {
  const sockets = new Set<Socket>()
  const server = createServer((down) => {
    const up = connectTcp(Number(target.port), target.hostname)
    for (const socket of [down, up]) {
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.on("close", () => {
        down.destroy()
        up.destroy()
      })
    }
    down.pipe(up)
    up.pipe(down)
  })
  await new Promise<void>((resume) => void server.listen(0, "127.0.0.1", resume))
  const bound = server.address()
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
    sockets.clear()
  }
  return {
    url: `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`,
    cut,
    stop: () => {
      cut()
      server.close()
    }
  }
}

describe("over HTTP", () => {
  it("runs a script in a session of cookies", async () => {
    const user = await register(host, "anna")
    const client = new FairleadClient({ baseUrl: address, auth: { kind: "session" } })
    await client.auth.login(user)
    assert.strictEqual((await client.run({ script: "out hello" })).stdout, "hello\n")
    await client.auth.logout()
  })

  it("misses nothing when the connection is reset in the middle", async () => {
    const proxy = await startProxy(new URL(address))
    const client = new FairleadClient({ baseUrl: proxy.url, auth: login(await register(host, "bert")) })
    let text = ""
    const result = await client.run({
      script: "out first\nhold\nout last",
      onOutput: (output) => {
        text += output.text
        if (text !== "first\n") return
        proxy.cut()
        host.release()
      }
    })
    assert.deepStrictEqual([text, result.stdout], ["first\nlast\n", "first\nlast\n"])
    proxy.stop()
  })

  it("is NETWORK where nobody listens", async () => {
    const proxy = await startProxy(new URL(address))
    proxy.stop()
    const client = new FairleadClient({ baseUrl: proxy.url, retries: 1 })
    const failed = client.health.live().catch((error: unknown) => error)
    assert.deepInclude(await failed, { code: "NETWORK", status: 0 })
  })
})
