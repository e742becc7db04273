/** Bare hono on node doing what the fastify peer does, the body checked by hand. */
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { account, cancelled, headers, keepAliveTimeout, sessions } from "./answers.ts"

const app = new Hono()
app.use(async (context, next) => {
  const session = sessions.get(context.req.header("authorization")?.slice("Bearer ".length) ?? "")
  if (session === undefined) return context.json({ title: "Not logged in", status: 401 }, 401)
  await next()
})
app.get("/get", (context) => context.json(account, 200, headers()))
app.post("/post", async (context) => {
  const body: unknown = await context.req.json()
  const reason = typeof body === "object" && body !== null && "reason" in body ? body.reason : undefined
  if (reason !== undefined && typeof reason !== "string")
    return context.json({ title: "Request invalid", status: 422 }, 422)
  return context.json(cancelled, 200, headers())
})
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0, serverOptions: { keepAliveTimeout } }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`)
)
