/** Under `/cp` of a Fastify server. Its body parsers are off within the plugin: Fairlead reads its own bodies. */
import type { NodeHandlers } from "@fairlead/http/node/NodeMount"
import Fastify from "fastify"

export const fastifyApp = (fairlead: NodeHandlers) => {
  const app = Fastify()
  app.get("/own", async () => "own")
  app.register(async (plugin) => {
    plugin.removeAllContentTypeParsers()
    plugin.addContentTypeParser("*", (_request, _payload, done) => done(null))
    plugin.all("/cp/*", (request, reply) => {
      reply.hijack()
      fairlead.handler(request.raw, reply.raw)
    })
  })
  return app
}
