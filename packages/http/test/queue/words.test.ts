import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

describe("an address that is a word", () => {
  it.live("is not taken for a parameter of another method", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      for (const [route, allow] of [
        ["PATCH /queue/pause", "POST"],
        ["PATCH /queue/pauses?x=1", "GET, HEAD"]
      ] as const) {
        const { body, headers, status } = yield* call("adam", route, { body: { priority: 1 } })
        assert.deepStrictEqual([status, body.code, headers.get("allow")], [405, "METHOD_NOT_ALLOWED", allow], route)
      }
      const unknown = yield* call("adam", "PATCH /queue/019a7c1e-5b7a-7c3e-9d5f-2b1a4c8e6f10", {
        body: { priority: 1 }
      })
      assert.deepStrictEqual([unknown.status, unknown.body.code], [404, "QUEUE_ENTRY_NOT_FOUND"])
    })
  )
})
