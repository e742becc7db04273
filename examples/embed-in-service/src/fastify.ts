/** Under `/cp` of a Fastify server. Fastify sends the answers, so its hooks see them; what its body parsers read is handed over. */
import type { NodeHandlers } from "@fairlead/http/node/NodeMount"
import Fastify, { type FastifyInstance } from "fastify"

export const fairleadPlugin = (fairlead: NodeHandlers) => async (plugin: FastifyInstance) => {
  plugin.removeAllContentTypeParsers()
  plugin.addContentTypeParser("*", (_request, _payload, done) => done(null)) // leaves bodies to Fairlead
  plugin.all("/cp/*", async (request, reply) => reply.send(await fairlead.respond(request.raw, request.body)))
}

export const fastifyApp = (fairlead: NodeHandlers) => {
  const app = Fastify()
  app.get("/own", async () => "own")
  app.register(fairleadPlugin(fairlead))
  app.server.on("upgrade", fairlead.upgrade)
  return app
}
