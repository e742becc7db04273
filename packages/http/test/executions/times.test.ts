import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

describe("lists of executions", () => {
  it.live("are empty between a time and an earlier one", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      yield* run("anna", "print ok")
      const { body } = yield* call(
        "anna",
        "GET /executions?start_time=2036-01-01T00:00:00Z&end_time=2026-01-01T00:00:00Z"
      )
      assert.deepStrictEqual([body.total, body.executions], [0, []])
    })
  )

  it.live.each(["2026-01-31T12:00:00Z", "2026-01-31t12:00:00.5%2B02:00", "2026-01-31"])("begin at %s", (time) =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      assert.strictEqual((yield* call("anna", `GET /executions?start_time=${time}`)).status, 200)
    })
  )

  it.live.each([
    "2027-02-30",
    "2027-02-29T12:00:00Z",
    "2027-04-31T00:00:00Z",
    "2027-00-10",
    "2027-01-00",
    "2027-01-31T24:00:00Z"
  ])("refuse %s, which there never is", (time) =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const listed = yield* call("anna", `GET /executions?start_time=${time}`)
      assert.deepStrictEqual([listed.status, listed.body.issues[0].path], [422, ["query", "start_time"]])
      const made = yield* call("anna", "POST /executions", { body: { script: "", run_at: time } })
      assert.deepStrictEqual([made.status, made.body.issues[0].path], [422, ["payload", "run_at"]])
    })
  )

  it.live("tell of a variable that cannot be named so, instead of dropping it", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", "POST /executions", {
        body: { script: "print ok", env: { "A-B": "1" } }
      })
      assert.deepStrictEqual([status, body.issues[0].path], [422, ["payload", "env", "A-B"]])
    })
  )
})
