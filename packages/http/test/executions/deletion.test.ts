import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as ExecutionHost from "../support/ExecutionHost.ts"

describe("DELETE /executions/{id}", () => {
  it.live.each(["anna", "adam"] as const)("by %s removes result and output", (who) =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out 1")
      assert.strictEqual((yield* call("bert", `DELETE /executions/${id}`)).status, 404)
      assert.strictEqual((yield* call("vera", `DELETE /executions/${id}`)).status, 403)
      const { body, status } = yield* call(who, `DELETE /${id}`)
      assert.deepStrictEqual([status, body], [200, { message: "Execution deleted successfully", execution_id: id }])
      for (const path of [`/executions/${id}`, `/executions/${id}/result`, `/executions/${id}/logs`])
        assert.strictEqual((yield* call("anna", `GET ${path}`)).status, 404, path)
    })
  )

  it.live("leaves an active one of a user alone", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "hold")
      const { body, status } = yield* call("anna", `DELETE /executions/${id}`)
      assert.deepStrictEqual([status, body.code, body.execution_id], [409, "EXECUTION_STILL_ACTIVE", id])
      assert.notStrictEqual((yield* call("anna", `GET /executions/${id}`)).body.status, "cancelled")
    })
  )

  it.effect("keeps an execution that does not end within 10 s", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "deaf\nout ready\nhold")
      while ((yield* call("anna", `GET /executions/${id}/logs`)).text !== "ready\n") yield* Effect.yieldNow
      const deletion = yield* Effect.forkChild(call("adam", `DELETE /executions/${id}`))
      yield* TestClock.adjust("11 seconds")
      const { body, status } = yield* Fiber.join(deletion)
      assert.deepStrictEqual([status, body.code, body.execution_id], [409, "EXECUTION_STILL_ACTIVE", id])
      assert.strictEqual((yield* call("anna", `GET /executions/${id}`)).status, 200)
    })
  )
})
