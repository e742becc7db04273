import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

describe("GET /executions/{id}/transcript", () => {
  it.live("gives both streams, without times where a runtime tells none, and ends", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out one\nerr two\nout three")
      const { body, status } = yield* call("anna", `GET /executions/${id}/transcript`)
      assert.deepStrictEqual(
        [status, body],
        [
          200,
          {
            execution_id: id,
            attempt: 1,
            entries: [
              { at: null, stream: "stdout", text: "one\nthree\n" },
              { at: null, stream: "stderr", text: "two\n" }
            ],
            next_cursor: "0.0.10.4",
            ended: true
          }
        ]
      )
      const rest = yield* call("anna", `GET /executions/${id}/transcript?cursor=${body.next_cursor}`)
      assert.deepInclude(rest.body, { entries: [], next_cursor: "0.0.10.4", ended: true })
    })
  )

  it.live("is not for others, nor of attempts or cursors that there are not", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out one")
      const answers = yield* Effect.all([
        call("bert", `GET /executions/${id}/transcript`),
        call("anna", `GET /executions/${id}/transcript?attempt=2`),
        call("anna", `GET /executions/${id}/transcript?cursor=1.2.x`)
      ])
      assert.deepStrictEqual(
        answers.map(({ body, status }) => [status, body.code]),
        [
          [404, "EXECUTION_NOT_FOUND"],
          [404, "ATTEMPT_NOT_FOUND"],
          [422, "REQUEST_INVALID"]
        ]
      )
    })
  )
})
