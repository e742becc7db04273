/** Scripts with a known end, and requests for them with everything that a request may carry. */
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import type { ExecutionStatus } from "@fairlead/core/executions/ExecutionStatus"
import { DateTime } from "effect"
import type { Random } from "./Random.ts"

export interface SimulatedScript {
  readonly script: string
  /** How it ends if nothing disturbs it. */
  readonly natural: ExecutionStatus
  /** What it takes; absent: what the others are given is enough. */
  readonly timeoutMillis?: number
}

export const scripts: ReadonlyArray<SimulatedScript> = [
  { script: "out quick", natural: "completed" },
  { script: "out a\nsleep 300\nout b\nsleep 700\nout c", natural: "completed" },
  { script: "fill 5000\nsleep 2000\nfill 300", natural: "completed" },
  { script: "sleep 4000\nout late", natural: "completed" },
  { script: "sleep 12000\nout long", natural: "completed", timeoutMillis: 20_000 },
  { script: "stubborn\nout s\nsleep 1500", natural: "completed" },
  { script: "out before\nexit 3", natural: "failed" },
  { script: "sleep 800\nkill SIGSEGV", natural: "failed" },
  { script: "exceed memory", natural: "failed" },
  { script: "out begun\nhang", natural: "timeout" }
]

export const draw = (
  random: Random,
  now: DateTime.Utc,
  number: number
): { readonly request: ExecutionRequest; readonly natural: ExecutionStatus } => {
  const { natural, script, timeoutMillis = 6_000 } = random.pick(scripts)
  const retryPolicy = {
    maxAttempts: 2 + random.below(3),
    backoffMillis: random.pick([0, 500, 3_000]),
    on: ["script_error" as const, "system_error" as const, "timeout" as const]
  }
  const request: ExecutionRequest = {
    script,
    lang: "lines",
    langVersion: "1",
    limits: { timeoutMillis },
    priority: random.below(11),
    ...(random.chance(0.35) ? { retryPolicy } : {}),
    ...(random.chance(0.25) ? { concurrencyKey: random.pick(["k", "l"]) } : {}),
    ...(random.chance(0.15) ? { runAt: DateTime.add(now, { milliseconds: random.below(8_000) }) } : {}),
    ...(random.chance(0.1) ? { ttlMillis: 2_000 + random.below(8_000) } : {}),
    ...(random.chance(0.3) ? { idempotencyKey: `key-${number}` } : {})
  }
  return { request, natural }
}
