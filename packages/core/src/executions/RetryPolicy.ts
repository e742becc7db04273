/** When an execution is tried again by itself, as a new attempt with a number and output of its own. Pure. */
import { DateTime, Schema } from "effect"
import { ExecutionErrorType } from "../events/ExecutionErrorType.ts"

export const RetryPolicy = Schema.Struct({
  /** The first attempt included: 2 to 20. */
  maxAttempts: Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 20 })),
  /** Pause before the second attempt; each further one is twice as long, up to an hour. 0 to 1 hour. */
  backoffMillis: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_600_000 })),
  /** Kinds of failure that are worth another attempt. A script that was lost is `system_error`; a cancelled one is never repeated. */
  on: Schema.Array(ExecutionErrorType).check(Schema.isMinLength(1))
})
export type RetryPolicy = typeof RetryPolicy.Type

const maxBackoffMillis = 3_600_000

/** When the attempt behind `attempt` (1 or more) may start; `undefined` if there is to be none. */
export const nextAttemptAt = (
  policy: RetryPolicy | undefined,
  attempt: number,
  errorType: ExecutionErrorType | undefined,
  now: DateTime.Utc
): DateTime.Utc | undefined => {
  if (policy === undefined || errorType === undefined) return undefined
  if (attempt >= policy.maxAttempts || !policy.on.includes(errorType)) return undefined
  const milliseconds = Math.min(maxBackoffMillis, policy.backoffMillis * 2 ** (attempt - 1))
  return DateTime.add(now, { milliseconds })
}
