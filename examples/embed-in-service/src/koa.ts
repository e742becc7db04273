/** Under `/cp` of a Koa application. Koa sends the answers, so middleware in front sees them as its own. */
import { Readable } from "node:stream"
import type { ReadableStream } from "node:stream/web"
import type { NodeHandlers } from "@fairlead/http/node/NodeMount"
import Koa, { type Middleware } from "koa"

export const fairleadMiddleware =
  (fairlead: NodeHandlers): Middleware =>
  async (context, next) => {
    if (!context.path.startsWith("/cp/")) return next()
    const answer = await fairlead.respond(context.req, context.request.rawBody ?? context.request.body)
    context.status = answer.status
    for (const [name, value] of answer.headers) context.append(name, value)
    if (answer.body !== null) context.body = Readable.fromWeb(answer.body as ReadableStream)
  }

export const koaApp = (fairlead: NodeHandlers, front: ReadonlyArray<Middleware> = []) => {
  const app = new Koa()
  for (const middleware of front) app.use(middleware)
  app.use(fairleadMiddleware(fairlead))
  app.use((context) => {
    context.body = "own"
  })
  return app
}
