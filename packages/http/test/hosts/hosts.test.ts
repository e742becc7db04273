import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

describe("GET /hosts", () => {
  it.live("shows operators who serves, what fits there and what runs there", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      yield* submit("anna", "hold")
      const { body } = yield* call("olga", "GET /hosts").pipe(
        // The numbers are those of the last second.
        Effect.delay("50 millis"),
        Effect.repeat({ until: (answer) => answer.body.hosts[0]?.places[0]?.running === 1, times: 100 })
      )
      assert.lengthOf(body.hosts, 1)
      assert.deepInclude(body.hosts[0], { name: "host-a", alive: true, leaving: false })
      assert.isBelow(body.hosts[0].silent_seconds, 10)
      assert.isString(body.hosts[0].started_at)
      assert.deepStrictEqual(body.hosts[0].places, [
        { place: "process/stage", runtime: "process", capacity: 10, running: 1 }
      ])
      const refused = yield* call("anna", "GET /hosts")
      assert.deepStrictEqual([refused.status, refused.body.needs], [403, "hosts:read"])
    })
  )
})
