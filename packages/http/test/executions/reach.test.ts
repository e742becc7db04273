import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

const unknown = "019a0000-0000-7000-8000-00000000dead"

describe("foreign, unknown and impossible executions", () => {
  const routes = [
    "GET /executions/:id",
    "GET /executions/:id/result",
    "GET /result/:id",
    "POST /executions/:id/cancel",
    "POST /:id/cancel",
    "POST /executions/:id/retry",
    "POST /:id/retry",
    "GET /executions/:id/events",
    "GET /executions/:id/logs",
    "GET /executions/:id/logs?follow=true",
    "GET /executions/:id/stream",
    "GET /events/executions/:id"
  ]
  it.live.each(routes)("%s answers 404 alike", (route) =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out 1")
      const foreign = yield* call("bert", route.replace(":id", id))
      const missing = yield* call("bert", route.replace(":id", unknown))
      assert.deepStrictEqual(
        [foreign.status, foreign.body.code, missing.status, missing.body.code],
        [404, "EXECUTION_NOT_FOUND", 404, "EXECUTION_NOT_FOUND"]
      )
      assert.strictEqual((yield* call("bert", route.replace(":id", "not-an-id"))).status, 404)
      assert.strictEqual((yield* call(undefined, route.replace(":id", id))).status, 401)
    })
  )
})

describe("what everybody may know", () => {
  it.live("are the limits and the languages of this host", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, headers } = yield* call(undefined, "GET /k8s-limits")
      assert.deepStrictEqual(body, {
        cpu_limit: "1000m",
        memory_limit: "256Mi",
        cpu_request: "1000m",
        memory_request: "256Mi",
        execution_timeout: 300,
        supported_runtimes: {
          python: { versions: ["3.12.1", "3.11.7"], file_ext: "py" },
          bash: { versions: ["5.2.15"], file_ext: "sh" }
        }
      })
      assert.strictEqual(headers.get("cache-control"), "public, max-age=300")
    })
  )

  it.live("is a script for each of them", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, headers } = yield* call(undefined, "GET /example-scripts")
      assert.deepStrictEqual(Object.keys(body.scripts).sort(), ["bash", "python"])
      assert.include(body.scripts.python, "print(")
      assert.strictEqual(headers.get("cache-control"), "public, max-age=600")
    })
  )
})
