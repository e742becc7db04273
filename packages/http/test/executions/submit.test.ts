import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"
import { userIdOf } from "../support/Identities.ts"

describe("POST /executions", () => {
  it.live("accepts a script with the defaults of the contract", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", "POST /executions", { body: { script: "out hello" } })
      assert.deepStrictEqual([status, body.status, Object.keys(body)], [200, "queued", ["execution_id", "status"]])
      const found = (yield* call("anna", `GET /executions/${body.execution_id}`)).body
      assert.deepInclude(found, {
        execution_id: body.execution_id,
        owner_id: userIdOf("anna"),
        script: "out hello",
        lang: "python",
        lang_version: "3.11",
        resolved_version: "3.11.7",
        runtime: "process",
        args: [],
        priority: 5,
        limits: {
          timeout_seconds: 300,
          memory_mb: 256,
          cpu_millicores: 1000,
          processes: 64,
          disk_mb: 1024,
          file_size_mb: 256,
          open_files: 256,
          output_bytes: 1_048_576
        }
      })
    })
  )

  it.live("answers under the spelling of existing clients too", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const answer = yield* call("anna", "POST /execute", { body: { script: "", lang: "bash", lang_version: "5" } })
      assert.deepStrictEqual([answer.status, answer.body.status], [200, "queued"])
    })
  )

  it.live("takes limits, arguments and priority, and never gives the environment back", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const body = {
        script: "hold",
        args: ["a", "b"],
        env: { API_TOKEN: "hush-hush" },
        timeout_seconds: 1.5,
        memory_mb: 64,
        cpu_millicores: 500,
        processes: 4,
        disk_mb: 100,
        file_size_mb: 10,
        open_files: 32,
        output_bytes: 1000,
        priority: 0
      }
      const made = yield* call("anna", "POST /executions", { body })
      const found = yield* call("anna", `GET /executions/${made.body.execution_id}`)
      assert.deepInclude(found.body, {
        args: ["a", "b"],
        priority: 0,
        limits: {
          timeout_seconds: 1.5,
          memory_mb: 64,
          cpu_millicores: 500,
          processes: 4,
          disk_mb: 100,
          file_size_mb: 10,
          open_files: 32,
          output_bytes: 1000
        }
      })
      const events = yield* call("anna", `GET /executions/${made.body.execution_id}/events`)
      for (const { text } of [made, found, events]) assert.notInclude(text, "hush-hush")
    })
  )

  it.live("waits for the end when asked to, and gives the result", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const preferred = yield* call("anna", "POST /executions", {
        body: { script: "out hi\nexit 3" },
        headers: { prefer: "respond-async, wait=10" }
      })
      assert.strictEqual(preferred.headers.get("preference-applied"), "wait=10")
      assert.deepInclude(preferred.body, { status: "failed" })
      assert.deepInclude(preferred.body.result, {
        stdout: "hi\n",
        output: "hi\n",
        exit_code: 3,
        error_type: "script_error"
      })
      const asked = yield* call("anna", "POST /executions?wait_seconds=10", { body: { script: "err oh" } })
      assert.isNull(asked.headers.get("preference-applied"))
      assert.deepInclude(asked.body.result, { status: "completed", stderr: "oh\n", errors: "oh\n" })
    })
  )

  it.live("answers without a result when the time is up, with the status that it has by then", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body } = yield* call("anna", "POST /executions?wait_seconds=1", { body: { script: "hold" } })
      assert.deepStrictEqual([Object.keys(body), body.status], [["execution_id", "status"], "running"])
    })
  )

  it.live("gives the same execution for the same key and request, whoever else uses the key", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const request = { body: { script: "out 1" }, headers: { "idempotency-key": "k 1" } }
      const first = yield* call("anna", "POST /executions", request)
      const again = yield* call("anna", "POST /execute", request)
      const other = yield* call("bert", "POST /executions", request)
      assert.strictEqual(again.body.execution_id, first.body.execution_id)
      assert.notStrictEqual(other.body.execution_id, first.body.execution_id)
      const changed = yield* call("anna", "POST /executions", { ...request, body: { script: "out 2" } })
      assert.deepStrictEqual(
        [changed.status, changed.body.code, changed.body.execution_id],
        [422, "IDEMPOTENCY_KEY_REUSED", first.body.execution_id]
      )
    })
  )

  it.live("takes a changed environment under the same key for another request", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const ask = (env: Readonly<Record<string, string>>) =>
        call("anna", "POST /executions", { body: { script: "out 1", env }, headers: { "idempotency-key": "k" } })
      const first = yield* ask({ A: "1", B: "2" })
      assert.strictEqual((yield* ask({ B: "2", A: "1" })).body.execution_id, first.body.execution_id)
      for (const env of [{ A: "1", B: "3" }, { A: "1" }, { A: "1", B: "2", C: "" }])
        assert.strictEqual((yield* ask(env)).body.code, "IDEMPOTENCY_KEY_REUSED")
    })
  )

  it.live("takes whether to wait for the background, tells it, and takes it for a part of the request", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const ask = (more: object) =>
        call("anna", "POST /executions", { body: { script: "out 1", ...more }, headers: { "idempotency-key": "k" } })
      const first = yield* ask({})
      assert.strictEqual((yield* ask({ wait_for_background: false })).body.execution_id, first.body.execution_id)
      assert.strictEqual((yield* ask({ wait_for_background: true })).body.code, "IDEMPOTENCY_KEY_REUSED")
      const made = yield* call("anna", "POST /executions", { body: { script: "", wait_for_background: true } })
      const { body } = yield* call("anna", `GET /executions/${made.body.execution_id}`)
      assert.deepInclude(body, { wait_for_background: true })
      assert.notProperty(
        (yield* call("anna", `GET /executions/${first.body.execution_id}`)).body,
        "wait_for_background"
      )
    })
  )

  it.live.each([
    [{ lang: "sh" }, "bash", "latest", "5.2.15"],
    [{ lang: "Bash", lang_version: "5" }, "bash", "5", "5.2.15"],
    [{ lang: "py" }, "python", "3.11", "3.11.7"],
    [{ lang: "python3", lang_version: "latest" }, "python", "latest", "3.12.1"]
  ] as const)("understands %o", ([asked, lang, lang_version, resolved_version]) =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body } = yield* call("anna", "POST /executions", { body: { script: "out 1", ...asked } })
      const found = yield* call("anna", `GET /executions/${body.execution_id}`)
      assert.deepInclude(found.body, { lang, lang_version, resolved_version })
      assert.strictEqual((yield* call("anna", `GET /executions?lang=${asked.lang}`)).body.total, 1)
    })
  )

  it.live("refuses an unknown language and says which there are", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", "POST /executions", { body: { script: "x", lang: "cobol" } })
      assert.deepStrictEqual([status, body.code], [422, "LANGUAGE_UNSUPPORTED"])
      assert.deepStrictEqual(body.supported, { python: ["3.12.1", "3.11.7"], bash: ["5.2.15"] })
    })
  )

  it.live("refuses limits above the host's, in the units of the request", () =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const { body, status } = yield* call("anna", "POST /executions", {
        body: {
          script: "x",
          timeout_seconds: 7200,
          memory_mb: 65_536,
          disk_mb: 20_480,
          file_size_mb: 8192,
          open_files: 5000
        }
      })
      assert.deepStrictEqual([status, body.code], [422, "LIMIT_TOO_HIGH"])
      assert.deepStrictEqual(body.limits, [
        { limit: "timeout_seconds", requested: 7200, maximum: 3600 },
        { limit: "memory_mb", requested: 65_536, maximum: 4096 },
        { limit: "disk_mb", requested: 20_480, maximum: 10_240 },
        { limit: "file_size_mb", requested: 8192, maximum: 4096 },
        { limit: "open_files", requested: 5000, maximum: 4096 }
      ])
    })
  )

  it.live("refuses more than may wait, with a time to come back", () =>
    Effect.gen(function* () {
      const { call, submit } = yield* ExecutionHost.start({ admission: { maxActivePerUser: 1 } })
      yield* submit("anna", "hold")
      const { body, headers, status } = yield* call("anna", "POST /executions", { body: { script: "x" } })
      assert.deepStrictEqual([status, body.code, body.scope, body.maximum], [429, "QUEUE_FULL", "user", 1])
      assert.strictEqual(headers.get("retry-after"), `${body.retry_after_seconds}`)
      assert.strictEqual((yield* call("bert", "POST /executions", { body: { script: "x" } })).status, 200)
    })
  )

  it.live.each([
    ["no script", {}, {}, ["payload", "script"]],
    ["a script of 50,001 characters", { script: "x".repeat(50_001) }, {}, ["payload", "script"]],
    ["a script with NUL", { script: "a\0b" }, {}, ["payload", "script"]],
    ["a variable of ours", { script: "", env: { FAIRLEAD_URL: "x" } }, {}, ["payload", "env"]],
    ["a variable with a secret and NUL", { script: "", env: { A: "hush\0hush" } }, {}, ["payload", "env"]],
    ["a misspelt member", { script: "", timeout_secs: 1 }, {}, ["payload", "timeout_secs"]],
    [
      "a misspelt member of a member",
      { script: "", retry: { max_attempts: 2, backoff_seconds: 1, on: ["timeout"], of: 1 } },
      {},
      ["payload", "retry", "of"]
    ],
    ["a priority of 11", { script: "", priority: 11 }, {}, ["payload", "priority"]],
    ["an empty key", { script: "" }, { "idempotency-key": "" }, ["headers", "idempotency-key"]]
  ] as const)("refuses %s", ([, body, headers, path]) =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      const answer = yield* call("anna", "POST /executions", { body, headers })
      assert.deepStrictEqual([answer.status, answer.body.code], [422, "REQUEST_INVALID"])
      assert.deepStrictEqual(answer.body.issues[0].path.slice(0, path.length), path)
      assert.notInclude(answer.text, "hush")
    })
  )

  it.live.each([
    ["nobody", undefined, 401],
    ["a viewer", "vera", 403]
  ] as const)("is not for %s", ([, person, status]) =>
    Effect.gen(function* () {
      const { call } = yield* ExecutionHost.start()
      assert.strictEqual((yield* call(person, "POST /executions", { body: { script: "x" } })).status, status)
    })
  )
})
