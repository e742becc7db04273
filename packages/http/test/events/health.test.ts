import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

describe("GET /events/health", () => {
  it.live("counts what is really open, and tells of a shutdown", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const health = Effect.map(host.call("vera", "GET /events/health"), ({ body: { timestamp, ...body } }) => {
        assert.isNotNaN(Date.parse(timestamp))
        return body
      })
      const [first, second] = [yield* host.submit("anna", "hold"), yield* host.submit("anna", "hold")]
      yield* Effect.forEach([first, first, second], (id) => host.open("anna", `GET /executions/${id}/stream`))
      const consuming = yield* Effect.repeat(Effect.delay(health, "5 millis"), {
        until: (body) => body.active_consumers === 3,
        times: 400
      })
      const shutdown = { phase: "ready", initiated: false, complete: false, active_connections: 3 }
      assert.deepStrictEqual(consuming, {
        status: "healthy",
        kafka_enabled: false,
        active_connections: 3,
        active_executions: 2,
        active_consumers: 3,
        max_connections_per_user: 5,
        shutdown: { ...shutdown, draining_connections: 0, duration: null }
      })
      yield* Effect.forkChild(host.streams.drain)
      const draining = yield* Effect.repeat(Effect.delay(health, "5 millis"), {
        until: (body) => body.status === "draining",
        times: 400
      })
      assert.isTrue(draining.shutdown.initiated)
      assert.isNumber(draining.shutdown.duration)
    })
  )

  it.live("is not for strangers", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      assert.strictEqual((yield* call(undefined, "GET /events/health")).status, 401)
    })
  )
})
