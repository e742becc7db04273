/** Under `/cp` of an Express application. Mounted before any body parser: Fairlead reads its own bodies. */
import type { NodeHandlers } from "@fairlead/http/node/NodeMount"
import express from "express"

export const expressApp = (fairlead: NodeHandlers) => {
  const app = express()
  app.use((request, response, next) =>
    request.originalUrl.startsWith("/cp/") ? fairlead.handler(request, response) : next()
  )
  app.use(express.json())
  app.get("/own", (_request, response) => {
    response.send("own")
  })
  return app
}
