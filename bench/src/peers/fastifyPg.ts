/**
 * Fastify over the tables of the host, as a plain application would be: one prepared statement a call, through `pg`, and the rows sent as they
 * are shown. What it accepts goes into a table of its own, and nothing is kept of events, sagas or keys.
 */
import { randomUUID } from "node:crypto"
import Fastify from "fastify"
import pg from "pg"
import { headers, keepAliveTimeout, sessions } from "./answers.ts"

const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"], max: 20 })
const app = Fastify({ keepAliveTimeout })
await pool.query("create table if not exists peer_executions (like executions including all)")

interface Row {
  readonly execution: Readonly<Record<string, unknown>> & { readonly outcome?: Outcome }
  readonly stdout: string | null
  readonly stderr: string | null
  readonly status: string
  readonly total: number
}
type Outcome = Readonly<Record<string, unknown>> & { readonly resourceUsage?: Readonly<Record<string, unknown>> }

const query = async (name: string, text: string, values: ReadonlyArray<unknown>) =>
  (await pool.query<Row>({ name, text, values: [...values] })).rows

const output = (stream: string) => `(select string_agg(convert_from(bytes, 'UTF8'), '' order by byte_offset)
  from execution_output o where o.execution_id = e.execution_id and stream = '${stream}') as ${stream}`

const resultOf = ({ execution: { outcome, ...execution }, stderr, stdout }: Row) => ({
  execution_id: execution["executionId"],
  name: execution["name"] ?? null,
  labels: execution["labels"] ?? {},
  status: execution["status"],
  stdout: stdout ?? "",
  stderr: stderr ?? "",
  output: stdout ?? "",
  errors: stderr ?? "",
  lang: execution["lang"],
  lang_version: execution["langVersion"],
  resolved_version: execution["resolvedVersion"],
  resource_usage: usageOf(outcome?.resourceUsage),
  exit_code: outcome?.["exitCode"] ?? null,
  error_type: outcome?.["errorType"] ?? null,
  error_cause: outcome?.["errorCause"] ?? null,
  error_message: outcome?.["errorMessage"] ?? null,
  truncated: outcome?.["truncated"] ?? false,
  stdout_bytes: outcome?.["stdoutBytes"] ?? null,
  stderr_bytes: outcome?.["stderrBytes"] ?? null,
  stdout_written_bytes: outcome?.["stdoutBytes"] ?? null,
  stderr_written_bytes: outcome?.["stderrBytes"] ?? null,
  attempt: execution["attempt"],
  created_at: execution["createdAt"],
  updated_at: execution["updatedAt"],
  started_at: execution["startedAt"] ?? null,
  finished_at: execution["finishedAt"] ?? null
})

const usageOf = (usage: Outcome["resourceUsage"]) =>
  usage === undefined
    ? null
    : {
        execution_time_wall_seconds: usage["executionTimeWallSeconds"],
        cpu_time_jiffies: usage["cpuTimeJiffies"],
        clk_tck_hertz: usage["clkTckHertz"],
        peak_memory_kb: usage["peakMemoryKb"]
      }

app.addHook("onRequest", async (request, reply) => {
  const session = sessions.get(request.headers.authorization?.slice("Bearer ".length) ?? "")
  if (session === undefined) return reply.code(401).send({ title: "Not logged in", status: 401 })
  reply.headers(headers())
})

app.get<{ Params: { id: string } }>("/executions/:id/result", async ({ params }, reply) => {
  const [row] = await query(
    "result",
    `select execution, ${output("stdout")}, ${output("stderr")} from executions e where execution_id = $1`,
    [params.id]
  )
  return row === undefined ? reply.code(404).send({ status: 404 }) : resultOf(row)
})

app.get<{ Querystring: { limit: number } }>("/executions", async (request) => {
  const { limit } = request.query
  const rows = await query(
    "list",
    `select execution, ${output("stdout")}, ${output("stderr")},
      (select count(*)::int from (select 1 from executions limit 10000) counted) as total
    from executions e order by execution_id desc limit $1`,
    [limit]
  )
  const total = rows[0]?.total ?? 0
  return { executions: rows.map(resultOf), total, limit, skip: 0, offset: 0, has_more: false, page: 1, pages: 1 }
})

const submission = {
  type: "object",
  required: ["script", "lang", "lang_version"],
  properties: {
    script: { type: "string", maxLength: 50_000 },
    lang: { type: "string" },
    lang_version: { type: "string" },
    run_at: { type: "string" }
  }
}
app.post<{ Body: Record<string, string> }>("/executions", { schema: { body: submission } }, async ({ body }) => {
  const [id, at] = [randomUUID(), new Date().toISOString()]
  const execution = { executionId: id, ...body, status: "queued", attempt: 0, createdAt: at, updatedAt: at }
  await query("accept", "insert into peer_executions values ($1, $1, 'queued', $2, $3, $4)", [
    id,
    body["lang"],
    at,
    JSON.stringify(execution)
  ])
  return { execution_id: id, status: "queued" }
})

app.post<{ Params: { id: string } }>("/executions/:id/cancel", async ({ params }, reply) => {
  const [row] = await query("status", "select status from executions where execution_id = $1", [params.id])
  if (row?.status !== "cancelled") return reply.code(409).send({ status: 409 })
  return {
    execution_id: params.id,
    status: "already_cancelled",
    message: "Execution was already cancelled",
    event_id: "-1"
  }
})
console.log(await app.listen({ host: "127.0.0.1", port: 0 }))
