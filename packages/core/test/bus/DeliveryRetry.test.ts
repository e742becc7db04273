import { assert, describe, it } from "@effect/vitest"
import { DeliveryRetry, nextDelivery } from "@fairlead/core/bus/DeliveryRetry"
import { DateTime, Schema } from "effect"

const now = DateTime.makeUnsafe("2026-01-01T00:00:00Z")
const delays = (retry: DeliveryRetry) =>
  Array.from({ length: retry.maxAttempts }, (_, i) => {
    const next = nextDelivery(retry, i + 1, now)
    return next === undefined ? undefined : DateTime.toEpochMillis(next) - DateTime.toEpochMillis(now)
  })

describe("nextDelivery", () => {
  it("waits by the strategy, and not at all after the last attempt", () => {
    assert.deepStrictEqual(delays({ strategy: "immediate", maxAttempts: 3 }), [0, 0, undefined])
    assert.deepStrictEqual(delays({ strategy: "fixed", maxAttempts: 3, delayMillis: 7 }), [7, 7, undefined])
    const exponential = { strategy: "exponential", baseDelayMillis: 10, multiplier: 3, maxDelayMillis: 50 } as const
    assert.deepStrictEqual(delays({ ...exponential, maxAttempts: 5 }), [10, 30, 50, 50, undefined])
  })

  it.prop("ends after maxAttempts, never goes back in time and waits at most a day", [DeliveryRetry], ([retry]) => {
    const all = delays(retry)
    assert.strictEqual(all.indexOf(undefined), retry.maxAttempts - 1)
    for (const delay of all.slice(0, -1)) assert.isTrue(delay !== undefined && delay >= 0 && delay <= 86_400_000)
  })

  it.prop("a policy survives JSON", [DeliveryRetry], ([retry]) => {
    const Json = Schema.fromJsonString(Schema.toCodecJson(DeliveryRetry))
    assert.deepStrictEqual(Schema.decodeUnknownSync(Json)(Schema.encodeSync(Json)(retry)), retry)
  })
})
