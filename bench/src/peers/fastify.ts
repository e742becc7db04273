/** Bare fastify that checks a token and a body by JSON schema, and answers the same bytes as the host. */
import Fastify from "fastify"

const app = Fastify()
const sessions = new Map([["token-0001", { username: "admin", role: "admin" }]])
const answer = {
  type: "object",
  properties: {
    valid: { type: "boolean" },
    username: { type: "string" },
    role: { type: "string" },
    csrf_token: { type: "string" }
  }
}

app.addHook("onRequest", async (request, reply) => {
  const session = sessions.get(request.headers.authorization?.slice("Bearer ".length) ?? "")
  if (session === undefined) return reply.code(401).send({ title: "Not logged in", status: 401 })
})
app.get("/get", { schema: { response: { 200: answer } } }, async () => ({
  valid: true,
  username: "admin",
  role: "admin",
  csrf_token: ""
}))
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
