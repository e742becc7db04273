import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

describe("GET /instances", () => {
  it.live("shows operators who serves, what fits there and what runs there", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      yield* submit("anna", "hold")
      const { body } = yield* call("olga", "GET /instances").pipe(
        // The numbers are those of the last second.
        Effect.delay("50 millis"),
        Effect.repeat({ until: (answer) => answer.body.instances[0]?.nodes[0]?.running === 1, times: 100 })
      )
      assert.lengthOf(body.instances, 1)
      assert.deepInclude(body.instances[0], { name: "host-a", alive: true, draining: false })
      assert.isBelow(body.instances[0].seconds_since_heartbeat, 10)
      assert.isString(body.instances[0].started_at)
      assert.deepStrictEqual(body.instances[0].nodes, [
        { node_id: "process/stage", runtime: "process", capacity: 10, running: 1 }
      ])
      const refused = yield* call("anna", "GET /instances")
      assert.deepStrictEqual([refused.status, refused.body.needs], [403, "instances:read"])
    })
  )
})
