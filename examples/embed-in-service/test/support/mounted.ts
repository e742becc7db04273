/** The whole API, mounted once under `/cp` for all tests of a file, with an administrator and a WebSocket route that sends back what comes. */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import type { RequestListener, Server } from "node:http"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeMount from "@fairlead/http/node/NodeMount"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { embedded } from "fairlead/embedded"

export const credentials = { username: "ursula", password: "a-Longer-Pass-1" }
const account = { ...credentials, email: "ursula@example.com" }

const echo = HttpRouter.add(
  "GET",
  "/echo",
  Effect.gen(function* () {
    const socket = yield* (yield* HttpServerRequest.HttpServerRequest).upgrade
    const { writeAll } = yield* socket.writer
    const { pull } = yield* socket.reader
    return yield* Effect.forever(Effect.flatMap(pull, writeAll))
  }).pipe(
    Effect.scoped,
    Effect.catch(() => Effect.succeed(HttpServerResponse.empty()))
  )
)

export const mount = async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "fairlead-embed-"))
  const options = {
    dataDir: join(dataDir, "data"),
    secret: randomBytes(48).toString("base64"),
    encryptionKey: new Uint8Array(randomBytes(32)),
    unsafeScriptsAsHostUser: true,
    admin: account
  }
  const fairlead = await NodeMount.start(Layer.merge(embedded(options), echo), { prefix: "/cp" })
  const dispose = async () => {
    await fairlead.dispose()
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { ...fairlead, dispose }
}
export type Mounted = Awaited<ReturnType<typeof mount>>

/** On a free port. */
export const listening = (server: Server) =>
  new Promise<{ readonly url: string; close(): Promise<void> }>((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed())
          server.closeAllConnections()
        })
      resolve({ url: `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`, close })
    })
  )

export const serving = (listener: RequestListener, { upgrade }: Mounted) =>
  listening(createServer(listener).on("upgrade", upgrade))
