/** Bare fastify that checks a token and a body by JSON schema, and answers the same bytes as the host. */
import Fastify from "fastify"

const app = Fastify()
const sessions = new Map([["token-0001", { username: "admin", role: "admin" }]])
const text = { type: "string" }
const flag = { type: "boolean" }
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
const answer = {
  type: "object",
  properties: {
    user_id: text,
    id: text,
    username: text,
    email: text,
    full_name: { type: "string", nullable: true },
    role: text,
    is_active: flag,
    is_superuser: flag,
    created_at: text,
    updated_at: text,
    last_login_at: text,
    cluster_permissions: { type: "object" }
  }
}

app.addHook("onRequest", async (request, reply) => {
  const session = sessions.get(request.headers.authorization?.slice("Bearer ".length) ?? "")
  if (session === undefined) return reply.code(401).send({ title: "Not logged in", status: 401 })
})
app.get("/get", { schema: { response: { 200: answer } } }, async () => account)
app.post(
  "/post",
  {
    schema: {
      body: { type: "object", properties: { reason: { type: "string", maxLength: 1000 } } },
      response: {
        200: {
          type: "object",
          properties: { execution_id: { type: "string" }, status: { type: "string" }, message: { type: "string" } }
        }
      }
    }
  },
  async () => ({
    execution_id: "019a0000-0000-7000-8000-000000000001",
    status: "already_cancelled",
    message: "Execution is already cancelled"
  })
)
console.log(await app.listen({ host: "127.0.0.1", port: 0 }))
