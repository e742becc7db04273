/** The part of a request to run a script that says when and beside what it may run, in the words and units of the wire. */

import { ExecutionErrorType } from "@fairlead/core/events/ExecutionErrorType"
import { ConcurrencyPolicy } from "@fairlead/core/executions/ConcurrencyPolicy"
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import type { RetryPolicy } from "@fairlead/core/executions/RetryPolicy"
import { ConcurrencyKey } from "@fairlead/core/queue/QueueEntry"
import { Schema } from "effect"
import { Time } from "../Time.ts"

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** When and how often a script is tried again by itself. */
export const RetryView = Schema.Struct({
  /** The first attempt included. */
  maxAttempts: whole(2, 20).annotate({ description: "The first attempt included, 2 to 20.", examples: [3] }),
  backoffSeconds: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 3_600 })).annotate({
    description: "Pause before the second attempt, 0 to 3,600; each further one is twice as long, an hour at most.",
    examples: [5]
  }),
  on: Schema.Array(ExecutionErrorType)
    .check(Schema.isBetweenLength(1, 5))
    .annotate({ description: "Values of `error_type` that are worth another attempt.", examples: [["system_error"]] })
})

/** Spread into the struct of the request. */
export const queueingFields = {
  runAt: Schema.optionalKey(
    Time.annotate({
      description: "Not before this time, at most a year ahead. A time that has passed means at once."
    })
  ),
  queueTtlSeconds: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 604_800 })).annotate({
      description:
        "Longest wait for the first start, from `run_at` or the acceptance on, 1 to 604,800; then it ends as `timeout`.",
      examples: [3_600]
    })
  ),
  concurrencyKey: Schema.optionalKey(
    ConcurrencyKey.annotate({
      description: "1 to 128 printable characters. Of the caller's executions with one key, one runs at a time."
    })
  ),
  concurrencyPolicy: Schema.optionalKey(
    ConcurrencyPolicy.annotate({
      description:
        "What to do while another execution of the key has not ended: `queue` (when absent) waits for its turn, `skip` ends at once " +
        "as `cancelled` with the cause `skipped`, `replace` cancels the others and then takes its turn."
    })
  ),
  retry: Schema.optionalKey(RetryView)
}

interface Queueing {
  readonly runAt?: ExecutionRequest["runAt"]
  readonly queueTtlSeconds?: number
  readonly concurrencyKey?: string
  readonly concurrencyPolicy?: ConcurrencyPolicy
  readonly retry?: typeof RetryView.Type
}

/** A policy for a key that is not there is a mistake of the caller. */
export const policyHasKey = Schema.makeFilter(({ concurrencyKey, concurrencyPolicy }: Queueing) =>
  concurrencyPolicy === undefined || concurrencyKey !== undefined
    ? undefined
    : { path: ["concurrency_policy"], issue: "Expected a concurrency_key beside it" }
)

/** In the domain's units. */
export const wantedQueueing = (wanted: Queueing) => ({
  runAt: wanted.runAt,
  ttlMillis: wanted.queueTtlSeconds === undefined ? undefined : Math.round(wanted.queueTtlSeconds * 1000),
  concurrencyKey: wanted.concurrencyKey,
  concurrencyPolicy: wanted.concurrencyPolicy,
  retryPolicy: wanted.retry && {
    maxAttempts: wanted.retry.maxAttempts,
    backoffMillis: Math.round(wanted.retry.backoffSeconds * 1000),
    on: wanted.retry.on
  }
})

export const retryView = ({ backoffMillis, maxAttempts, on }: RetryPolicy): typeof RetryView.Type => ({
  maxAttempts,
  backoffSeconds: backoffMillis / 1000,
  on
})
