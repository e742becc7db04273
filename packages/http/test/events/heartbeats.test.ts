import { assert, describe, it } from "@effect/vitest"
import * as Heartbeats from "@fairlead/http/server/sse/Heartbeats"
import { Effect } from "effect"
import { TestClock } from "effect/testing"

const intervalMillis = 15_000

describe("heartbeats", () => {
  it.effect("wake a stream when one is due, and again until it is sent", () =>
    Effect.gen(function* () {
      const heartbeats = yield* Heartbeats.make(intervalMillis)
      let woken = 0
      const heartbeat = heartbeats.watch(() => void woken++)
      yield* TestClock.adjust(intervalMillis - 1)
      assert.deepStrictEqual([woken, heartbeat.isDue()], [0, false])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([woken, heartbeat.isDue()], [1, true])
      yield* TestClock.adjust(intervalMillis / 15)
      assert.strictEqual(woken, 2)
      heartbeat.sent()
      yield* TestClock.adjust(intervalMillis - 1)
      assert.deepStrictEqual([woken, heartbeat.isDue()], [2, false])
    }).pipe(Effect.scoped)
  )

  it.effect("reach every one of a crowd, and none that has stopped", () =>
    Effect.gen(function* () {
      const heartbeats = yield* Heartbeats.make(intervalMillis)
      const woken = new Set<number>()
      const all = Array.from({ length: 1_000 }, (_, i) => heartbeats.watch(() => void woken.add(i)))
      all[500]?.stop()
      yield* TestClock.adjust(intervalMillis)
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      assert.deepStrictEqual([woken.size, woken.has(500)], [999, false])
    }).pipe(Effect.scoped)
  )
})
