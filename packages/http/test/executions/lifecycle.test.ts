import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

const unknown = "019a0000-0000-7000-8000-00000000dead"

describe("GET /executions/{id}/result", () => {
  it.live("has every field of the contract in both spellings, before and after the end", () =>
    Effect.gen(function* () {
      const { call, release, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "out one\nhold\nerr two\nexit 4")
      const before = yield* call("anna", `GET /executions/${id}/result`)
      assert.strictEqual(before.status, 200)
      const { created_at, resolved_version, updated_at, ...rest } = before.body
      assert.isNotNaN(Date.parse(created_at) + Date.parse(updated_at))
      assert.strictEqual(resolved_version, "3.11.7")
      const nothing = [
        "stdout",
        "stderr",
        "output",
        "errors",
        "exit_code",
        "error_type",
        "resource_usage",
        "finished_at"
      ]
      assert.deepStrictEqual(
        nothing.map((name) => rest[name]),
        nothing.map(() => null)
      )
      yield* release
      const { body } = yield* call("anna", `GET /result/${id}?wait_seconds=10`)
      assert.deepInclude(body, {
        execution_id: id,
        status: "failed",
        stdout: "one\n",
        stderr: "two\n",
        output: "one\n",
        errors: "two\n",
        lang: "python",
        lang_version: "3.11",
        exit_code: 4,
        error_type: "script_error",
        truncated: false,
        stdout_bytes: 4,
        stderr_bytes: 4,
        attempt: 1
      })
    })
  )

  it.live("refuses to wait longer than a minute", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", `GET /executions/${unknown}/result?wait_seconds=61`)
      assert.deepStrictEqual([status, body.issues[0].path], [422, ["query", "wait_seconds"]])
    })
  )
})

describe("waiting for an end", () => {
  it.live("is over with what there is when the host goes away", () =>
    Effect.gen(function* () {
      const { call, streams, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "hold")
      const waiting = yield* Effect.forkChild(call("anna", `GET /executions/${id}/result?wait_seconds=60`))
      yield* streams.drain
      const { body, status } = yield* Fiber.join(waiting)
      assert.deepInclude({ status, finished: body.finished_at }, { status: 200, finished: null })
      const late = yield* call("anna", "POST /executions?wait_seconds=60", { body: { script: "hold" } })
      assert.deepStrictEqual([late.status, late.body.result], [200, undefined])
    })
  )
})

describe("lists of executions", () => {
  it.live("page in every spelling, newest first, and tell what else there is", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const ids = [yield* run("anna", "out 1"), yield* run("anna", "out 2"), yield* run("anna", "exit 1")]
      const idsOf = (body: { readonly executions: ReadonlyArray<{ readonly execution_id: string }> }) =>
        body.executions.map(({ execution_id }) => execution_id)
      const all = yield* call("anna", "GET /executions")
      assert.deepStrictEqual(idsOf(all.body), ids.toReversed())
      assert.deepInclude(all.body, { total: 3, limit: 50, skip: 0, offset: 0, has_more: false })
      for (const query of ["limit=1&skip=1", "limit=1&offset=1"]) {
        const { body } = yield* call("anna", `GET /user/executions?${query}`)
        assert.deepStrictEqual(idsOf(body), [ids[1]])
        assert.deepInclude(body, { total: 3, limit: 1, skip: 1, offset: 1, has_more: true })
      }
      assert.deepStrictEqual(idsOf((yield* call("anna", "GET /executions?status=failed")).body), [ids[2]])
      assert.deepStrictEqual(idsOf((yield* call("anna", "GET /executions?lang=bash")).body), [])
      const since = encodeURIComponent(all.body.executions[0].created_at)
      assert.deepStrictEqual(idsOf((yield* call("anna", `GET /executions?start_time=${since}`)).body), [ids[2]])
      assert.strictEqual((yield* call("anna", `GET /executions?end_time=${since}`)).body.total, 2)
    })
  )

  it.live("show an operator everything, and their own apart", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      yield* run("anna", "out 1")
      yield* run("olga", "out 2")
      const total = (person: "anna" | "bert" | "olga", path: string) =>
        Effect.map(call(person, `GET ${path}`), ({ body }) => body.total)
      assert.deepStrictEqual(
        yield* Effect.all([
          total("anna", "/executions"),
          total("bert", "/executions"),
          total("olga", "/executions"),
          total("olga", "/user/executions")
        ]),
        [1, 0, 2, 1]
      )
    })
  )

  it.live.each([
    "limit=0",
    "limit=201",
    "skip=-1",
    "offset=1000000000",
    "status=done",
    "start_time=yesterday",
    "start_time=0.5",
    "lang=a%00",
    "statuses=failed"
  ])("refuse ?%s", (query) =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", `GET /executions?${query}`)
      assert.deepStrictEqual([status, body.code], [422, "REQUEST_INVALID"])
    })
  )
})

describe("POST /executions/{id}/cancel", () => {
  it.live("ends a running execution, once, under both addresses", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "hold")
      const asked = yield* call("anna", `POST /${id}/cancel`, { body: { reason: "enough" } })
      assert.deepStrictEqual(
        [asked.status, asked.body],
        [
          200,
          {
            execution_id: id,
            status: "cancellation_requested",
            message: "Cancellation request submitted",
            event_id: null
          }
        ]
      )
      assert.strictEqual((yield* call("anna", `GET /executions/${id}/result?wait_seconds=10`)).body.status, "cancelled")
      const again = yield* call("anna", `POST /executions/${id}/cancel`)
      assert.deepInclude(again.body, { status: "already_cancelled", event_id: "-1" })
      const events = yield* call("anna", `GET /executions/${id}/events?event_types=execution_cancelled`)
      assert.deepInclude(events.body[0].payload, { reason: "enough", cancelled_by: "anna" })
    })
  )

  it.live("refuses an execution that ended by itself", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", `POST /executions/${yield* run("anna", "out 1")}/cancel`)
      assert.deepStrictEqual(
        [status, body.code, body.detail],
        [400, "EXECUTION_ENDED", "Cannot cancel execution in completed state"]
      )
    })
  )
})

describe("POST /executions/{id}/retry", () => {
  it.live("runs the same again as a new execution", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out again")
      const made = yield* call("anna", `POST /${id}/retry`, { body: {} })
      assert.strictEqual(made.status, 200)
      assert.notStrictEqual(made.body.execution_id, id)
      const result = yield* call("anna", `GET /executions/${made.body.execution_id}/result?wait_seconds=10`)
      assert.strictEqual(result.body.stdout, "again\n")
      assert.strictEqual((yield* call("anna", `GET /executions/${made.body.execution_id}`)).body.retry_of, id)
    })
  )

  it.live("takes what curl -d sends when no content type is given", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out again")
      const headers = { "content-type": "application/x-www-form-urlencoded" }
      const made = yield* call("anna", `POST /${id}/retry`, { body: {}, headers })
      assert.deepStrictEqual([made.status, made.body.status], [200, "queued"])
    })
  )

  it.live("refuses an active execution", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", `POST /executions/${yield* submit("anna", "hold")}/retry`)
      assert.deepStrictEqual([status, body.code], [400, "EXECUTION_ACTIVE"])
      assert.match(body.detail, /^Cannot retry execution in (queued|scheduled|running) state$/)
    })
  )
})

describe("limits on what a user may have at once", () => {
  it.live("hold for a retry too", () =>
    Effect.gen(function* () {
      const { call, run, submit } = yield* ExecutionHost.start({ admission: { maxActivePerUser: 1 } })
      const id = yield* run("anna", "out 1")
      yield* submit("anna", "hold")
      const { body, headers, status } = yield* call("anna", `POST /executions/${id}/retry`)
      assert.deepStrictEqual([status, body.code], [429, "QUEUE_FULL"])
      assert.strictEqual(headers.get("retry-after"), `${body.retry_after_seconds}`)
    })
  )

  it.live("count followed logs among the streams", () =>
    Effect.gen(function* () {
      const { call, open, submit } = yield* ExecutionHost.start({ streams: { maxConnectionsPerUser: 1 } })
      const id = yield* submit("anna", "hold")
      yield* open("anna", `GET /executions/${id}/stream`)
      const { body, status } = yield* call("anna", `GET /executions/${id}/logs?follow=true`)
      assert.deepStrictEqual([status, body.code, body.maximum], [429, "TOO_MANY_STREAMS", 1])
    })
  )
})

describe("GET /executions/{id}/events", () => {
  it.live("tells the story flat and as payload, filtered by names in both spellings", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out 1")
      const { body } = yield* call("anna", `GET /executions/${id}/events`)
      const types = body.map((event: { readonly event_type: string }) => event.event_type)
      for (const type of ["execution_requested", "execution_started", "execution_completed", "result_stored"])
        assert.include(types, type)
      const stored = body[types.indexOf("result_stored")]
      assert.deepInclude(stored, { event_version: "1.0", aggregate_id: id, execution_id: id, size_bytes: 2 })
      assert.deepInclude(stored.payload, { execution_id: id, size_bytes: 2, storage_type: "database" })
      assert.deepInclude(stored.metadata, { service_name: "fairlead", correlation_id: stored.correlation_id })
      assert.notProperty(stored.payload, "_tag")
      for (const query of [
        "event_types=execution_started,result_stored",
        "event_types=execution_started&event_types=result_stored"
      ]) {
        const found = yield* call("anna", `GET /executions/${id}/events?${query}`)
        assert.deepStrictEqual(
          found.body.map((event: { readonly event_type: string }) => event.event_type),
          ["execution_started", "result_stored"]
        )
      }
      assert.strictEqual((yield* call("anna", `GET /executions/${id}/events?limit=2`)).body.length, 2)
    })
  )

  it.live.each(["event_types=execution_exploded", "limit=0", "limit=1001"])("refuses ?%s", (query) =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const { status } = yield* call("anna", `GET /executions/${yield* run("anna", "out 1")}/events?${query}`)
      assert.strictEqual(status, 422)
    })
  )
})
