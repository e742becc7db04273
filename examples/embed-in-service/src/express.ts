/** Under `/cp` of an Express application (4 or 5), behind whatever middleware the service has. */
import type { NodeHandlers } from "@fairlead/http/node/NodeMount"
import express from "express"

export const expressApp = (fairlead: NodeHandlers) => {
  const app = express()
  app.use("/cp", fairlead.handler)
  app.use(express.json())
  app.get("/own", (_request, response) => {
    response.send("own")
  })
  return app
}
