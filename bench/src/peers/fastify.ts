/** Bare fastify that checks a token and a body by JSON schema, and answers the same bytes as the host. */
import Fastify from "fastify"
import { account, cancelled, headers, keepAliveTimeout, sessions } from "./answers.ts"

const app = Fastify({ keepAliveTimeout })
const text = { type: "string" }
const flag = { type: "boolean" }
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
  reply.headers(headers())
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
          properties: {
            execution_id: { type: "string" },
            status: { type: "string" },
            message: { type: "string" },
            event_id: { type: "string" }
          }
        }
      }
    }
  },
  async () => cancelled
)
console.log(await app.listen({ host: "127.0.0.1", port: 0 }))
