import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"
import { userIdOf } from "../support/Identities.ts"

const unknown = "019a0000-0000-7000-8000-00000000dead"

describe("/sagas", () => {
  it.live("shows the saga behind an execution in the shape of the contract", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out 1")
      const ended = yield* call("anna", `GET /sagas/execution/${id}`).pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ body }) => body.sagas[0]?.state === "completed", times: 400 })
      )
      const [saga] = ended.body.sagas
      assert.deepInclude(saga, {
        saga_name: "execution_saga",
        execution_id: id,
        state: "completed",
        compensated_steps: [],
        error_message: null,
        retry_count: 0
      })
      assert.include(saga.completed_steps, "monitor_execution")
      assert.deepStrictEqual(Object.keys(saga).sort(), [
        "compensated_steps",
        "completed_at",
        "completed_steps",
        "created_at",
        "current_step",
        "error_message",
        "execution_id",
        "executor",
        "last_progress_at",
        "node_id",
        "retry_count",
        "saga_id",
        "saga_name",
        "state",
        "updated_at"
      ])
      assert.deepStrictEqual((yield* call("anna", `GET /sagas/${saga.saga_id}`)).body, saga)
    })
  )

  it.live("pages in every spelling, with and without a slash, and only what the caller may see", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      yield* run("anna", "out 1")
      yield* run("anna", "out 2")
      for (const path of ["/sagas", "/sagas/"]) {
        const { body } = yield* call("anna", `GET ${path}`)
        assert.deepInclude(body, { total: 2, limit: 100, skip: 0, offset: 0, has_more: false })
      }
      for (const query of ["limit=1&skip=1", "limit=1&offset=1"])
        assert.deepInclude((yield* call("anna", `GET /sagas?${query}`)).body, { total: 2, skip: 1, offset: 1 })
      assert.strictEqual((yield* call("anna", "GET /sagas?state=failed")).body.total, 0)
      assert.strictEqual((yield* call("bert", "GET /sagas")).body.total, 0)
      assert.strictEqual((yield* call("olga", "GET /sagas")).body.total, 2)
    })
  )

  it.live("finds by name, execution, owner, node, time and how long nothing has moved", () =>
    Effect.gen(function* () {
      const { call, run, submit } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out 1")
      yield* submit("bert", "hold")
      const total = (person: "anna" | "olga", query: string) =>
        Effect.map(call(person, `GET /sagas?${query}`), ({ body, status }) => (status === 200 ? body.total : status))
      const [bert, past, future] = [userIdOf("bert"), "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"]
      for (const [query, expected] of [
        ["name=execution_saga", 2],
        ["name=other", 0],
        [`execution_id=${id}`, 1],
        [`owner_id=${bert}`, 1],
        ["node_id=process/stage", 2],
        ["node_id=process/elsewhere", 0],
        [`created_from=${past}&created_to=${future}`, 2],
        [`created_to=${past}`, 0],
        [`created_from=${future}`, 0],
        ["older_than_seconds=3600", 0],
        ["created_from=yesterday", 422],
        ["older_than_seconds=-1", 422]
      ] as const)
        assert.strictEqual(yield* total("olga", query), expected, query)
      assert.strictEqual(yield* total("anna", `owner_id=${bert}`), 0)
    })
  )

  it.live.each(["limit=0", "limit=1001", "state=done", "skip=-1"])("refuses ?%s", (query) =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      assert.strictEqual((yield* call("anna", `GET /sagas?${query}`)).status, 422)
    })
  )

  it.live("tells the history of a saga, without what may be secret", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const body = { script: "out written\nexit 3", env: { TOKEN: "hush-hush" }, args: ["quiet"] }
      const id = (yield* call("anna", "POST /executions?wait_seconds=10", { body })).body.execution_id
      const told = yield* call("anna", `GET /sagas/execution/${id}`).pipe(
        Effect.flatMap((list) => call("anna", `GET /sagas/${list.body.sagas[0].saga_id}/history`)),
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ body: { ended } }) => ended !== null, times: 400 })
      )
      const { runs } = told.body
      assert.deepStrictEqual(
        runs.map(({ result, step }: { result: string; step: string }) => `${step} ${result}`),
        [
          "validate_execution",
          "allocate_resources",
          "queue_execution",
          "start_job",
          "monitor_execution",
          "store_result"
        ].map((step) => `${step} completed`)
      )
      assert.deepInclude(runs[3], { attempt: 1, fence: 1, executor: "host-a", failure: null, direction: "run" })
      assert.isString(runs[3].begun_at)
      assert.isAtLeast(runs[3].duration_ms, 0)
      assert.deepStrictEqual(runs[3].output, {
        attempt: 1,
        runtime: "process",
        job_id: `executor-${id}-1`,
        node: "stage"
      })
      assert.deepStrictEqual(runs[4].output, { end: "Exited", exit_code: 3, stdout_bytes: 8, stderr_bytes: 0 })
      assert.deepInclude(told.body, { state: "completed", restart_of: null, compensation: null })
      for (const secret of ["hush-hush", "quiet", "written"]) assert.notInclude(told.text, secret)
    })
  )

  it.live("cancels a running saga, and refuses one that has ended", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "hold")
      const [saga] = (yield* call("anna", `GET /sagas/execution/${id}`)).body.sagas
      assert.strictEqual((yield* call("vera", `POST /sagas/${saga.saga_id}/cancel`)).status, 403)
      const asked = yield* call("anna", `POST /sagas/${saga.saga_id}/cancel`)
      assert.deepStrictEqual([asked.status, asked.body.success, asked.body.saga_id], [200, true, saga.saga_id])
      assert.strictEqual((yield* call("anna", `GET /executions/${id}/result?wait_seconds=10`)).body.status, "cancelled")
      const ended = yield* call("anna", `GET /sagas/${saga.saga_id}`).pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ body }) => body.state === "cancelled", times: 400 })
      )
      assert.strictEqual(ended.body.error_message, "Saga cancelled by user request")
      const again = yield* call("anna", `POST /sagas/${saga.saga_id}/cancel`)
      assert.deepStrictEqual(
        [again.status, again.body.code, again.body.detail],
        [400, "SAGA_NOT_CANCELLABLE", "Cannot cancel saga in cancelled state"]
      )
    })
  )

  it.live("restarts an ended saga as a new execution, and says why it cannot", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "hold")
      const [saga] = (yield* call("anna", `GET /sagas/execution/${id}`)).body.sagas
      const at = (verb: string) => `POST /sagas/${saga.saga_id}/${verb}`
      const active = yield* call("anna", at("retry"))
      assert.deepStrictEqual(
        [active.status, active.body.code, active.body.reason],
        [409, "SAGA_NOT_RESTARTABLE", "active"]
      )
      yield* call("anna", `GET /executions/${id}`).pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ body }) => body.status === "running", times: 400 })
      )
      yield* call("anna", at("cancel"))
      yield* call("anna", `GET /executions/${id}/result?wait_seconds=10`)
      const retried = yield* call("anna", at("retry")).pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ status }) => status === 200, times: 400 })
      )
      assert.deepInclude(retried.body, { retry_of: id, restart_of: saga.saga_id, from_step: "queue_execution" })
      const restarted = yield* call("anna", at("restart"), { body: { from_step: "validate_execution" } })
      assert.deepInclude(restarted.body, { retry_of: id, from_step: "validate_execution" })
      assert.notStrictEqual(restarted.body.execution_id, retried.body.execution_id)
      const refused = yield* call("anna", at("restart"), { body: { from_step: "store_result" } })
      assert.deepStrictEqual(
        [refused.status, refused.body.reason, refused.body.possible_from],
        [409, "not_reusable", ["validate_execution", "allocate_resources", "queue_execution"]]
      )
      assert.strictEqual((yield* call("anna", at("restart"), { body: {} })).status, 422)
      assert.strictEqual((yield* call("vera", at("retry"))).status, 403)
    })
  )

  it.live("ends a saga by force for an administrator, once", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "hold")
      const [saga] = (yield* call("anna", `GET /sagas/execution/${id}`)).body.sagas
      const route = `POST /sagas/${saga.saga_id}/force-fail`
      const body = { reason: "its machine is gone" }
      assert.strictEqual((yield* call("olga", route, { body })).status, 403)
      assert.strictEqual((yield* call("adam", route, { body: {} })).status, 422)
      const forced = yield* call("adam", route, { body })
      assert.deepStrictEqual([forced.status, forced.body.state], [200, "failed"])
      const ended = (yield* call("anna", `GET /executions/${id}/result`)).body
      assert.deepStrictEqual([ended.status, ended.error_type], ["error", "system_error"])
      const again = yield* call("adam", route, { body })
      assert.deepStrictEqual(
        [again.status, again.body.code, again.body.saga_state],
        [409, "SAGA_ALREADY_ENDED", "failed"]
      )
      const path = `POST /sagas/${unknown}/force-fail`
      assert.strictEqual((yield* call("adam", path, { body })).status, 404)
    })
  )

  it.live("reports nothing stuck while living hosts work, and refuses what it cannot read", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start()
      const id = yield* submit("anna", "hold")
      yield* call("anna", `GET /executions/${id}`).pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ body }) => body.status === "running", times: 400 })
      )
      const { body, status } = yield* call("olga", "GET /sagas/stuck?older_than_seconds=0")
      assert.deepStrictEqual([status, body], [200, { sagas: [], next: null }])
      for (const query of ["older_than_seconds=-1", "limit=0", "limit=1001", "after=x"])
        assert.strictEqual((yield* call("olga", `GET /sagas/stuck?${query}`)).status, 422, query)
    })
  )

  it.live.each(["GET /sagas/:id", "GET /sagas/:id/history", "POST /sagas/:id/cancel", "POST /sagas/:id/retry"])(
    "%s answers 404 alike for foreign and unknown ids",
    (route) =>
      Effect.gen(function* () {
        const { call, run } = yield* ExecutionHost.start()
        const id = yield* run("anna", "out 1")
        const [saga] = (yield* call("anna", `GET /sagas/execution/${id}`)).body.sagas
        for (const sagaId of [saga.saga_id, unknown]) {
          const { body, status } = yield* call("bert", route.replace(":id", sagaId))
          assert.deepStrictEqual([status, body.code], [404, "SAGA_NOT_FOUND"])
        }
        assert.strictEqual((yield* call("bert", route.replace(":id", "x"))).status, 404)
        assert.strictEqual((yield* call("bert", `GET /sagas/execution/${id}`)).body.total, 0)
      })
  )
})
