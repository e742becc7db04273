/** Stands between a host and its database, and can let both believe in a connection through which nothing comes any more. */
import { connect, createServer, type Socket } from "node:net"

export interface FreezableProxy {
  readonly port: number
  /** From now on nothing is passed on, in neither direction, and new connections are taken and met with silence. */
  freeze(): void
  thaw(): void
  close(): void
}

export const freezableProxy = (host: string, port: number) =>
  new Promise<FreezableProxy>((resolve) => {
    const open = new Set<Socket>()
    let isFrozen = false
    const server = createServer((near) => {
      const far = connect(port, host)
      for (const [from, to] of [
        [near, far],
        [far, near]
      ] as const) {
        open.add(from)
        from.on("data", (bytes) => to.write(bytes))
        from.on("error", () => to.destroy())
        from.on("close", () => {
          open.delete(from)
          to.destroy()
        })
        if (isFrozen) from.pause()
      }
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        freeze: () => {
          isFrozen = true
          for (const socket of open) socket.pause()
        },
        thaw: () => {
          isFrozen = false
          for (const socket of open) socket.resume()
        },
        close: () => {
          for (const socket of open) socket.destroy()
          server.close()
        }
      })
    })
  })
