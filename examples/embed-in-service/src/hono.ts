/** Under `/cp` of a Hono application. */
import type { WebHandler } from "@fairlead/http/web/WebMount"
import { getConnInfo } from "@hono/node-server/conninfo"
import { Hono, type MiddlewareHandler } from "hono"

export const honoApp = (fairlead: WebHandler, front: ReadonlyArray<MiddlewareHandler> = []) => {
  const app = new Hono()
  for (const middleware of front) app.use(middleware)
  return app
    .get("/own", (context) => context.text("own"))
    .all("/cp/*", (context) => {
      // Says who the caller is, where the server knows it: without an address nobody counts as local.
      const { address } = context.env === undefined ? {} : getConnInfo(context).remote
      return fairlead(context.req.raw, { remoteAddress: address })
    })
}
