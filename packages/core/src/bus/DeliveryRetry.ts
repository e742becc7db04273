/** When a failed delivery is tried again. Pure, so a policy can be shown and tested without a bus. */
import { DateTime, Schema } from "effect"

/** The first attempt included. */
const maxAttempts = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
/** At most a day. */
const delayMillis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 86_400_000 }))

export const DeliveryRetry = Schema.Union([
  Schema.Struct({ strategy: Schema.Literal("immediate"), maxAttempts }),
  Schema.Struct({ strategy: Schema.Literal("fixed"), maxAttempts, delayMillis }),
  Schema.Struct({
    strategy: Schema.Literal("exponential"),
    maxAttempts,
    baseDelayMillis: delayMillis,
    /** What each delay is of the one before. */
    multiplier: Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 10 })),
    maxDelayMillis: delayMillis
  })
])
export type DeliveryRetry = typeof DeliveryRetry.Type

/** When to try again after `attempts` (1 or more) have failed, the last one at `now`; `undefined` when that was the last. */
export const nextDelivery = (retry: DeliveryRetry, attempts: number, now: DateTime.Utc): DateTime.Utc | undefined =>
  attempts >= retry.maxAttempts ? undefined : DateTime.add(now, { milliseconds: delayAfter(retry, attempts) })

const delayAfter = (retry: DeliveryRetry, attempts: number): number => {
  switch (retry.strategy) {
    case "immediate":
      return 0
    case "fixed":
      return retry.delayMillis
    case "exponential":
      return Math.min(retry.maxDelayMillis, Math.round(retry.baseDelayMillis * retry.multiplier ** (attempts - 1)))
  }
}
