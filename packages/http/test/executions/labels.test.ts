import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

const start = Effect.gen(function* () {
  const host = yield* ExecutionHost.start()
  const make = Effect.fnUntraced(function* (body: object) {
    const answer = yield* host.call("anna", "POST /executions", { body: { script: "out 1", ...body } })
    assert.strictEqual(answer.status, 200, answer.text)
    return `${answer.body.execution_id}`
  })
  const found = (query: string) =>
    Effect.map(
      host.call("anna", `GET /executions?${query}`),
      ({ body }): ReadonlyArray<string> =>
        body.executions.map(({ execution_id }: { readonly execution_id: string }) => execution_id)
    )
  return { ...host, make, found }
})

describe("names and labels", () => {
  it.live("are given with the request, shown, and found by lists", () =>
    Effect.gen(function* () {
      const { call, found, make } = yield* start
      const called = { name: "Nightly import", labels: { team: "billing", note: "a=b, c" } }
      const id = yield* make(called)
      const other = yield* make({ labels: { team: "core" } })
      assert.deepInclude((yield* call("anna", `GET /executions/${id}`)).body, called)
      const result = (yield* call("anna", `GET /executions/${id}/result?wait_seconds=10`)).body
      assert.deepInclude(result, called)
      yield* call("anna", `GET /executions/${other}/result?wait_seconds=10`)
      assert.deepInclude((yield* call("anna", `GET /executions/${other}/result`)).body, {
        name: null,
        labels: { team: "core" }
      })
      assert.deepStrictEqual(yield* found("name=IMPORT"), [id])
      assert.deepStrictEqual(yield* found("label=team"), [other, id])
      assert.deepStrictEqual(yield* found("label=team=core"), [other])
      assert.deepStrictEqual(yield* found(`label=team&label=${encodeURIComponent("note=a=b, c")}`), [id])
      assert.deepStrictEqual(yield* found("name=import&status=completed"), [id])
    })
  )

  it.live("go over to what repeats the execution", () =>
    Effect.gen(function* () {
      const { call, make } = yield* start
      const called = { name: "n", labels: { a: "1" } }
      const id = yield* make(called)
      yield* call("anna", `GET /executions/${id}/result?wait_seconds=10`)
      const again = yield* call("anna", `POST /executions/${id}/retry`)
      assert.deepInclude((yield* call("anna", `GET /executions/${again.body.execution_id}`)).body, called)
    })
  )

  it.live("are changed by their owner while it runs and afterwards, and by nobody else", () =>
    Effect.gen(function* () {
      const { call, make, release } = yield* start
      const id = yield* make({ script: "hold", name: "first", labels: { a: "1", b: "2" } })
      const change = (who: "anna" | "bert" | "vera", body: object) => call(who, `PATCH /executions/${id}`, { body })
      const changed = yield* change("anna", { labels: { a: null, c: "3" } })
      assert.deepStrictEqual(
        [changed.status, changed.body.labels, changed.body.name],
        [200, { b: "2", c: "3" }, "first"]
      )
      assert.strictEqual((yield* change("bert", { name: "x" })).status, 404)
      assert.strictEqual((yield* change("vera", { name: "x" })).status, 403)
      yield* release
      const ended = yield* call("anna", `GET /executions/${id}/result?wait_seconds=10`)
      assert.deepInclude(ended.body, { status: "completed", name: "first", labels: { b: "2", c: "3" } })
      const bare = yield* change("anna", { name: null, labels: { b: null, c: null } })
      assert.deepStrictEqual(["name" in bare.body, "labels" in bare.body], [false, false])
      assert.deepInclude((yield* call("anna", `GET /executions/${id}/result`)).body, { name: null, labels: {} })
    })
  )

  it.live.each([
    [{ labels: { "-a": "" } }, ["payload", "labels", "-a"]],
    [{ labels: { "a=b": "" } }, ["payload", "labels", "a=b"]],
    [{ labels: { a: "x".repeat(256) } }, ["payload", "labels", "a"]],
    [{ labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, ""])) }, ["payload", "labels"]],
    [{ name: "" }, ["payload", "name"]]
  ] as const)("are refused as %o", ([body, path]) =>
    Effect.gen(function* () {
      const { call, make } = yield* start
      const made = yield* call("anna", "POST /executions", { body: { script: "", ...body } })
      assert.deepStrictEqual([made.status, made.body.issues?.[0].path], [422, path])
      const patched = yield* call("anna", `PATCH /executions/${yield* make({})}`, { body })
      assert.deepStrictEqual([patched.status, patched.body.issues?.[0].path], [422, path])
    })
  )

  it.live("may not be more than 32 after a change", () =>
    Effect.gen(function* () {
      const { call, make } = yield* start
      const id = yield* make({ labels: Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`l${i}`, ""])) })
      const { body, status } = yield* call("anna", `PATCH /executions/${id}`, { body: { labels: { more: "" } } })
      assert.deepStrictEqual([status, body.code, body.maximum], [422, "TOO_MANY_LABELS", 32])
    })
  )

  it.live("belong to the request that an idempotency key stands for", () =>
    Effect.gen(function* () {
      const { call } = yield* start
      const ask = (labels: object) =>
        call("anna", "POST /executions", { body: { script: "", labels }, headers: { "idempotency-key": "k" } })
      const first = yield* ask({ a: "1", b: "2" })
      assert.strictEqual((yield* ask({ b: "2", a: "1" })).body.execution_id, first.body.execution_id)
      assert.strictEqual((yield* ask({ a: "1" })).body.code, "IDEMPOTENCY_KEY_REUSED")
    })
  )
})

describe("lists by status", () => {
  it.live("take several, in both spellings", () =>
    Effect.gen(function* () {
      const { call, found, make } = yield* start
      const [ran, held] = [yield* make({}), yield* make({ script: "hold" })]
      yield* call("anna", `GET /executions/${ran}/result?wait_seconds=10`)
      while ((yield* call("anna", `GET /executions/${held}`)).body.status !== "running") yield* Effect.yieldNow
      assert.deepStrictEqual(yield* found("status=running,completed"), [held, ran])
      assert.deepStrictEqual(yield* found("status=running&status=completed"), [held, ran])
      assert.deepStrictEqual(yield* found("status=failed,running"), [held])
      assert.deepStrictEqual(yield* found("status=failed"), [])
      const wrong = yield* call("anna", "GET /executions?status=running,gone")
      assert.deepStrictEqual([wrong.status, wrong.body.issues[0].path.slice(0, 2)], [422, ["query", "status"]])
    })
  )
})
