/** Under `/cp` of a bare node:http server, WebSocket upgrades included. */
import { createServer } from "node:http"
import type { NodeHandlers } from "@fairlead/http/node/NodeMount"

export const nodeServer = (fairlead: NodeHandlers) => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/cp/")) return fairlead.handler(request, response)
    response.end("own")
  })
  server.on("upgrade", (request, socket, head) =>
    request.url?.startsWith("/cp/") ? fairlead.upgrade(request, socket, head) : socket.destroy()
  )
  return server
}
