/** What the types promise; checked by the compiler, never run. */
import {
  type ExecutionFrame,
  type ExecutionResult,
  FairleadClient,
  type FairleadError,
  login,
  type Problems,
  type Tokens
} from "@fairlead/client"
import { executionsGet } from "@fairlead/client/operations"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare const assertSame: <A, B>(same: Same<A, B>) => void
declare const client: FairleadClient
declare const error: FairleadError
declare const frame: ExecutionFrame

export const answers = async () => {
  const result = await client.run({ script: "x", lang: "bash", timeout_seconds: 1.5, env: { A: "b" } })
  assertSame<typeof result, ExecutionResult>(true)
  assertSame<
    typeof result.status,
    "queued" | "scheduled" | "running" | "completed" | "failed" | "timeout" | "cancelled" | "error"
  >(true)
  assertSame<typeof result.stdout, string | null>(true)
  const tokens = await client.auth.login({ username: "a", password: "b" })
  assertSame<typeof tokens, Tokens>(true)
  const { executions, total } = await client.executions.list({ status: ["failed"], limit: 10 })
  assertSame<typeof total, number>(true)
  assertSame<(typeof executions)[number]["exit_code"], number | null>(true)
  const execution = await executionsGet({ client: client.http, path: { execution_id: "x" } })
  assertSame<typeof execution.limits.timeout_seconds, number>(true)
  for await (const chunk of client.executions.logs("x")) assertSame<typeof chunk, Uint8Array>(true)
}

export const refusals = () => {
  // @ts-expect-error: the script is missing
  client.run({ lang: "bash" })
  // @ts-expect-error: the wire says lang_version
  client.executions.submit({ script: "x", langVersion: "5" })
  // @ts-expect-error: no such status
  client.executions.list({ status: "done" })
  // @ts-expect-error: the key is missing
  new FairleadClient({ auth: { kind: "apiKey" } })
  // @ts-expect-error: the password is missing
  login({ username: "a" })
}

export const narrowing = () => {
  if (error.is("LIMIT_TOO_HIGH")) {
    assertSame<typeof error.problem, Problems["LIMIT_TOO_HIGH"]>(true)
    const maximum: number | undefined = error.problem.limits[0]?.maximum
    return maximum
  }
  // @ts-expect-error: no such code
  error.is("LIMIT_TOO_LOW")
  switch (frame.type) {
    case "status":
      return frame.status
    case "output":
      return frame.text
    case "event":
      return frame.event.event_type === "execution_completed" ? frame.event.exit_code : frame.event.event_id
    case "end":
      return frame.result.exit_code
  }
}
