import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

const post = (host: Effect.Success<ReturnType<typeof ExecutionHost.start>>, body: object, headers = {}) =>
  host.call("anna", "POST /executions", { body, headers })
const after = (seconds: number) => Effect.map(DateTime.now, (now) => DateTime.formatIso(DateTime.add(now, { seconds })))

describe("POST /executions, when and beside what", () => {
  it.live("takes a start, a longest wait, a key and a retry, and tells them with the place in the line", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const run_at = yield* after(600)
      const retry = { max_attempts: 3, backoff_seconds: 1.5, on: ["script_error", "system_error"] }
      const wanted = { run_at, queue_ttl_seconds: 60, concurrency_key: "k", retry, priority: 2 }
      const made = yield* post(host, { script: "out never", ...wanted })
      assert.deepStrictEqual([made.status, made.body.status], [200, "queued"])
      const { body } = yield* host.call("anna", `GET /executions/${made.body.execution_id}`)
      assert.deepInclude(body, { run_at, concurrency_key: "k", retry, attempt: 0 })
      assert.strictEqual(Date.parse(body.expires_at) - Date.parse(run_at), 60_000)
      assert.deepInclude(body.queue, { state: "delayed", priority: 2, position: 1, ahead: 0 })
      assert.notProperty(body, "earlier_attempts")
      // Nobody has run anything here yet, so nobody knows how long that takes.
      assert.isNull(body.queue.estimated_wait_seconds)
      yield* host.run("anna", "out quick")
      const later = yield* host.call("anna", `GET /executions/${made.body.execution_id}`)
      assert.isAtLeast(later.body.queue.estimated_wait_seconds, 500)
      const listed = yield* host.call("anna", `GET /executions/${made.body.execution_id}/attempts`)
      assert.deepStrictEqual(listed.body.attempts, [{ attempt: 1, status: "queued" }])
    })
  )

  it.live("leaves the line out once it runs, and names the place", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.run("anna", "out one")
      const { body } = yield* host.call("anna", `GET /executions/${id}`)
      assert.notProperty(body, "queue")
      assert.deepInclude(body, { status: "completed", node_id: "process/stage" })
    })
  )

  it.live("answers a skipped one as ended, and says who has the key", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const keyed = { concurrency_key: "deploy", concurrency_policy: "skip" }
      const holder = yield* post(host, { script: "hold", ...keyed })
      const { body } = yield* host.call("anna", "POST /executions?wait_seconds=5", { body: { script: "", ...keyed } })
      assert.strictEqual(body.status, "cancelled")
      assert.deepInclude(body.result, { status: "cancelled", error_cause: "skipped", error_type: null, stdout: "" })
      assert.include(body.result.error_message, holder.body.execution_id)
      const events = yield* host.call("anna", `GET /executions/${body.execution_id}/events`)
      assert.deepStrictEqual(
        events.body.map((event: { event_type: string }) => event.event_type),
        ["execution_requested", "execution_cancelled", "result_stored"]
      )
      const followed = yield* host.call("anna", `GET /executions/${body.execution_id}/stream`)
      assert.include(followed.text, '"event_type":"result_stored"')
    })
  )

  it.live("replaces the others in the name of the system", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const keyed = { concurrency_key: "deploy", concurrency_policy: "replace" }
      const first = yield* post(host, { script: "out one\nhold", ...keyed })
      const last = yield* host.call("anna", "POST /executions?wait_seconds=10", {
        body: { script: "out two", ...keyed }
      })
      assert.deepInclude(last.body.result, { status: "completed", stdout: "two\n" })
      const { body } = yield* host.call("anna", `GET /executions/${first.body.execution_id}`)
      assert.strictEqual(body.status, "cancelled")
      assert.include(body.error_message, last.body.execution_id)
    })
  )

  it.live.each([
    ["run_at", { run_at: "soon" }],
    ["queue_ttl_seconds", { queue_ttl_seconds: 0.5 }],
    ["queue_ttl_seconds", { queue_ttl_seconds: 604_801 }],
    ["concurrency_key", { concurrency_key: "" }],
    ["concurrency_key", { concurrency_key: "k".repeat(129) }],
    ["concurrency_key", { concurrency_key: "ü" }],
    ["concurrency_policy", { concurrency_key: "k", concurrency_policy: "drop" }],
    ["concurrency_policy", { concurrency_policy: "skip" }],
    ["retry.max_attempts", { retry: { max_attempts: 1, backoff_seconds: 0, on: ["timeout"] } }],
    ["retry.backoff_seconds", { retry: { max_attempts: 2, backoff_seconds: 3_601, on: ["timeout"] } }],
    ["retry.on", { retry: { max_attempts: 2, backoff_seconds: 0, on: [] } }],
    ["retry.on.0", { retry: { max_attempts: 2, backoff_seconds: 0, on: ["cancelled"] } }]
  ] as const)("refuses a %s out of bounds: %o", ([field, wanted]) =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const { body, status } = yield* post(host, { script: "", ...wanted })
      assert.strictEqual(status, 422)
      assert.include(JSON.stringify(body), field)
    })
  )

  it.live("refuses a start more than a year ahead, and says what would do", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const { body, status } = yield* post(host, { script: "", run_at: yield* after(366 * 86_400) })
      assert.deepStrictEqual([status, body.code], [422, "RUN_AT_TOO_FAR"])
      assert.isBelow(Date.parse(body.latest), Date.parse(body.run_at))
    })
  )

  it.live("takes the key of another request for another request also when only the policy differs", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const headers = { "idempotency-key": "i" }
      const body = { script: "hold", concurrency_key: "k", concurrency_policy: "queue" }
      const first = yield* post(host, body, headers)
      // The default said aloud is the same request.
      const { concurrency_policy: _, ...unsaid } = body
      assert.strictEqual((yield* post(host, unsaid, headers)).body.execution_id, first.body.execution_id)
      for (const other of [{ concurrency_policy: "skip" }, { queue_ttl_seconds: 5 }, { run_at: yield* after(9) }])
        assert.strictEqual((yield* post(host, { ...body, ...other }, headers)).body.code, "IDEMPOTENCY_KEY_REUSED")
    })
  )

  it.live("counts what is planned for later apart from what may run now", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start({ admission: { maxActivePerUser: 1, maxPlannedPerUser: 2 } })
      yield* host.call("adam", "POST /queue/pause", { body: { reason: "upgrade" } })
      const later = { script: "", run_at: yield* after(3_600) }
      const statuses = yield* Effect.forEach([later, later, later, { script: "" }, { script: "" }, later], (body) =>
        Effect.map(post(host, body), ({ body, status }) => (status === 200 ? 200 : `${body.code} ${body.scope}`))
      )
      assert.deepStrictEqual(statuses, [200, 200, "QUEUE_FULL planned", 200, "QUEUE_FULL user", "QUEUE_FULL planned"])
    })
  )

  it.live("keeps room for newcomers and administrators when one user fills the queue", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start({
        admission: { maxActive: 5, maxActivePerUser: 1_000, maxPlanned: 5_000, maxPlannedPerUser: 5 }
      })
      yield* host.call("adam", "POST /queue/pause", { body: { reason: "upgrade" } })
      const submit = (person: "anna" | "bert" | "adam") =>
        Effect.map(host.call(person, "POST /executions", { body: { script: "" } }), ({ body, status }) =>
          status === 200 ? person : `${body.code} ${body.scope}`
        )
      // What all have in the queue is counted once a second.
      assert.strictEqual(
        yield* Effect.repeat(submit("anna"), { until: (answer) => answer !== "anna" }),
        "QUEUE_FULL host"
      )
      const few = Array.from({ length: 10 }, () => "bert" as const)
      assert.deepStrictEqual(yield* Effect.forEach([...few, "bert" as const], submit), [...few, "QUEUE_FULL host"])
      assert.deepStrictEqual(yield* Effect.forEach(["adam", "adam"] as const, submit), ["adam", "adam"])
    })
  )

  it.live("tells when to come again if the line is full", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start({ admission: { maxActivePerUser: 1 } })
      yield* host.call("adam", "POST /queue/pause", { body: { reason: "upgrade" } })
      yield* post(host, { script: "" })
      const refused = yield* post(host, { script: "" })
      assert.deepStrictEqual([refused.status, refused.body.code], [429, "QUEUE_FULL"])
      const seconds = Number(refused.headers.get("retry-after"))
      assert.strictEqual(seconds, refused.body.retry_after_seconds)
      assert.isTrue(seconds >= 1 && seconds <= 300)
    })
  )
})
