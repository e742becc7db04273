/** Under `/cp` of a Hono application, which takes the prefix off itself. */
import type { WebHandler } from "@fairlead/http/web/WebMount"
import { getConnInfo } from "@hono/node-server/conninfo"
import { Hono } from "hono"

export const honoApp = (fairlead: WebHandler) =>
  new Hono()
    .get("/own", (context) => context.text("own"))
    .mount("/cp", fairlead, {
      // Says who the caller is, where the server knows it: without an address nobody counts as local.
      optionHandler: (context) => {
        const { address } = context.env === undefined ? {} : getConnInfo(context).remote
        return [{ remoteAddress: address }]
      }
    })
