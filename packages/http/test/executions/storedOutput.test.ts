import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as ExecutionHost from "../support/ExecutionHost.ts"

type Host = Effect.Success<ReturnType<typeof ExecutionHost.start>>

const script = { script: `out ${"x".repeat(999)}` }

/** Runs that write 1,000 bytes each, a minute apart, until the next one is refused: their ids, and the refusal. */
const fill = Effect.fnUntraced(function* ({ call }: Host) {
  const ids: Array<string> = []
  while (true) {
    const { body, headers, status } = yield* call("anna", "POST /executions?wait_seconds=10", { body: script })
    if (status !== 200) return { ids, refusal: { status, body, headers } }
    ids.push(body.execution_id)
    yield* TestClock.adjust("1 minute")
  }
})

const start = ExecutionHost.start({ maxStoredOutputBytesPerUser: 2_500 })

describe("the quota of stored output", () => {
  it.effect("refuses who has filled it, says how to mend that, and accepts again once an execution is deleted", () =>
    Effect.gen(function* () {
      const host = yield* start
      const { ids, refusal } = yield* fill(host)
      assert.strictEqual(ids.length, 3)
      assert.strictEqual(refusal.status, 409)
      assert.deepInclude(refusal.body, { code: "STORED_OUTPUT_EXHAUSTED", stored_bytes: 3_000, maximum_bytes: 2_500 })
      assert.include(refusal.body.detail, "Delete executions")
      assert.isNull(refusal.headers.get("retry-after"))
      assert.strictEqual((yield* host.call("bert", "POST /executions", { body: script })).status, 200)
      assert.strictEqual((yield* host.call("anna", `DELETE /executions/${ids[0]}`)).status, 200)
      assert.strictEqual((yield* host.call("anna", "POST /executions", { body: script })).status, 200)
    })
  )

  it.effect("holds for a retry, and for the restart of a saga", () =>
    Effect.gen(function* () {
      const host = yield* start
      const [id] = (yield* fill(host)).ids
      const sagas = yield* host.call("anna", `GET /sagas/execution/${id}`)
      const saga = `/sagas/${sagas.body.sagas[0].saga_id}`
      const again = [
        host.call("anna", `POST /executions/${id}/retry`),
        host.call("anna", `POST ${saga}/restart`, { body: { from_step: "validate_execution" } })
      ]
      for (const { body, status } of yield* Effect.all(again))
        assert.deepStrictEqual([status, body.code], [409, "STORED_OUTPUT_EXHAUSTED"])
    })
  )

  it.effect("lets a repeated request find its execution", () =>
    Effect.gen(function* () {
      const host = yield* start
      const keyed = { body: script, headers: { "idempotency-key": "k" } }
      const first = yield* host.call("anna", "POST /executions?wait_seconds=10", keyed)
      yield* TestClock.adjust("1 minute")
      yield* fill(host)
      const repeated = yield* host.call("anna", "POST /executions", keyed)
      assert.deepStrictEqual([repeated.status, repeated.body.execution_id], [200, first.body.execution_id])
    })
  )
})
