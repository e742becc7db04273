/** Bare hono on node doing what the fastify peer does, the body checked by hand. */
import { serve } from "@hono/node-server"
import { Hono } from "hono"

const app = new Hono()
const account = {
  user_id: "019a0000-0000-7000-8000-000000000001",
  id: "019a0000-0000-7000-8000-000000000001",
  username: "admin",
  email: "admin@localhost",
  full_name: null,
  role: "admin",
  is_active: true,
  is_superuser: true,
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
  last_login_at: "2026-01-01T00:00:00.000Z",
  cluster_permissions: {}
}
const sessions = new Map([["token-0001", { username: "admin", role: "admin" }]])

app.use(async (context, next) => {
  const session = sessions.get(context.req.header("authorization")?.slice("Bearer ".length) ?? "")
  if (session === undefined) return context.json({ title: "Not logged in", status: 401 }, 401)
  await next()
})
app.get("/get", (context) => context.json(account))
app.post("/post", async (context) => {
  const body: unknown = await context.req.json()
  const reason = typeof body === "object" && body !== null && "reason" in body ? body.reason : undefined
  if (reason !== undefined && typeof reason !== "string")
    return context.json({ title: "Request invalid", status: 422 }, 422)
  return context.json({
    execution_id: "019a0000-0000-7000-8000-000000000001",
    status: "already_cancelled",
    message: "Execution is already cancelled"
  })
})
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => console.log(`http://127.0.0.1:${port}`))
