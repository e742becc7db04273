import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"
import { userIdOf } from "../support/Identities.ts"

const idsOf = (body: { entries: ReadonlyArray<{ execution_id: string }> }) =>
  body.entries.map(({ execution_id }) => execution_id)
const unknown = "019a0000-0000-7000-8000-000000000999"

/** A host where nothing starts, with what waits there: two of Anna's, one of Bert's. */
const paused = Effect.gen(function* () {
  const host = yield* ExecutionHost.start()
  const pause = yield* host.call("adam", "POST /queue/pause", { body: { reason: "upgrade" } })
  const [first, second, theirs] = [
    yield* host.submit("anna", "out first"),
    yield* host.submit("anna", "out second"),
    yield* host.submit("bert", "out theirs")
  ]
  return { host, pause, first, second, theirs }
})

describe("GET /queue", () => {
  it.live("shows callers what they may see, in order, and the numbers of all", () =>
    Effect.gen(function* () {
      const { first, host, second, theirs } = yield* paused
      const { body, status } = yield* host.call("anna", "GET /queue")
      assert.deepStrictEqual([status, idsOf(body), body.total], [200, [first, second], 2])
      assert.deepInclude(body.entries[0], {
        owner_id: userIdOf("anna"),
        runtime: "process",
        state: "waiting",
        priority: 5,
        run_at: null,
        concurrency_key: null,
        node_id: null
      })
      assert.strictEqual(body.pauses[0].reason, "upgrade")
      const all = yield* host.call("olga", "GET /queue")
      assert.deepStrictEqual(idsOf(all.body), [first, second, theirs])
      const page = yield* host.call("olga", `GET /queue?owner_id=${userIdOf("anna")}&limit=1&page=2&state=waiting`)
      assert.deepStrictEqual([idsOf(page.body), page.body.total, page.body.has_more], [[second], 2, false])
      const foreign = yield* host.call("anna", `GET /queue?owner_id=${userIdOf("bert")}`)
      assert.deepStrictEqual([foreign.body.entries, foreign.body.total], [[], 0])
      assert.deepStrictEqual((yield* host.call("olga", "GET /queue?runtime=docker")).body.total, 0)
      const counted = yield* host.call("anna", "GET /queue").pipe(
        // The numbers are those of the last second.
        Effect.delay("50 millis"),
        Effect.repeat({ until: (answer) => answer.body.runtimes[0]?.waiting === 3, times: 100 })
      )
      assert.deepStrictEqual(counted.body.runtimes, [
        { runtime: "process", waiting: 3, held: 0, running: 0, capacity: 10, estimated_wait_seconds: null }
      ])
    })
  )

  it.live("shows what runs as assigned, with its node", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "hold")
      const { body } = yield* host.call("anna", "GET /queue?state=assigned")
      assert.deepStrictEqual(idsOf(body), [id])
      assert.strictEqual(body.entries[0].node_id, "process/stage")
    })
  )
})

describe("GET /queue/{id}", () => {
  it.live("tells where an entry stands, to who may see it", () =>
    Effect.gen(function* () {
      const { host, second } = yield* paused
      const { body } = yield* host.call("anna", `GET /queue/${second}`)
      assert.strictEqual(body.execution_id, second)
      assert.deepInclude(body.queue, { state: "waiting", priority: 5, estimated_wait_seconds: null })
      assert.isAtLeast(body.queue.ahead, 1)
      assert.strictEqual(body.queue.position, body.queue.ahead + 1)
      assert.strictEqual((yield* host.call("olga", `GET /queue/${second}`)).status, 200)
      for (const [person, id] of [
        ["bert", second],
        ["anna", unknown]
      ] as const) {
        const refused = yield* host.call(person, `GET /queue/${id}`)
        assert.deepStrictEqual([refused.status, refused.body.code], [404, "QUEUE_ENTRY_NOT_FOUND"])
      }
    })
  )
})

describe("PATCH /queue/{id}", () => {
  it.live("moves an entry to the position of its new priority, and says who did", () =>
    Effect.gen(function* () {
      const { host, first, second } = yield* paused
      const { body, status } = yield* host.call("olga", `PATCH /queue/${second}`, { body: { priority: 0 } })
      assert.deepStrictEqual([status, body.priority, body.queue.priority], [200, 0, 0])
      assert.deepStrictEqual(idsOf((yield* host.call("anna", "GET /queue")).body), [second, first])
      const seen = yield* host.call("anna", `GET /executions/${second}`)
      // What was asked for stays on record beside what counts now.
      assert.deepStrictEqual([seen.body.priority, seen.body.queue.priority, seen.body.queue.ahead], [5, 0, 0])
      const events = yield* host.call("anna", `GET /executions/${second}/events?event_types=execution_reprioritised`)
      assert.deepInclude(events.body[0], { priority: 0, previous_priority: 5, changed_by: "olga" })
    })
  )

  it.live("refuses what runs already with 409, what is unknown with 404, and who may not with 403", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "hold")
      const body = { priority: 1 }
      const running = yield* host.call("olga", `PATCH /queue/${id}`, { body })
      assert.deepStrictEqual(
        [running.status, running.body.code, running.body.node_id],
        [409, "SLOT_ASSIGNED", "process/stage"]
      )
      const ended = yield* host.run("anna", "out done")
      for (const gone of [unknown, ended])
        assert.strictEqual((yield* host.call("olga", `PATCH /queue/${gone}`, { body })).status, 404)
      const forbidden = yield* host.call("anna", `PATCH /queue/${id}`, { body })
      assert.deepStrictEqual([forbidden.status, forbidden.body.needs], [403, "queue:write"])
      assert.strictEqual((yield* host.call("olga", `PATCH /queue/${id}`, { body: { priority: 11 } })).status, 422)
    })
  )
})

describe("POST /queue/pause and /queue/resume", () => {
  it.live("stop new starts and let them go on; the first pause counts, the exact scope ends", () =>
    Effect.gen(function* () {
      const { first, host, pause } = yield* paused
      assert.deepInclude(pause.body, { scope: "all", by: "adam", reason: "upgrade" })
      const again = yield* host.call("adam", "POST /queue/pause", { body: { reason: "another" } })
      assert.deepStrictEqual(again.body, pause.body)
      const narrow = yield* host.call("adam", "POST /queue/pause", { body: { scope: "process", reason: "" } })
      assert.strictEqual(narrow.body.scope, "process")
      const listed = yield* host.call("vera", "GET /queue/pauses")
      assert.deepStrictEqual(listed.body, { pauses: [pause.body, narrow.body] })
      const wide = yield* host.call("adam", "POST /queue/resume", { body: { reason: "done" } })
      assert.deepStrictEqual(wide.body, { scope: "all", resumed: true })
      assert.strictEqual((yield* host.call("adam", "POST /queue/resume", { body: {} })).body.resumed, false)
      assert.strictEqual((yield* host.call("anna", `GET /executions/${first}`)).body.status, "queued")
      yield* host.call("adam", "POST /queue/resume", { body: { scope: "process" } })
      const ran = yield* host.call("anna", `GET /executions/${first}/result?wait_seconds=10`)
      assert.deepInclude(ran.body, { status: "completed", stdout: "first\n" })
    })
  )

  it.live("are for administrators", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      for (const route of ["POST /queue/pause", "POST /queue/resume"]) {
        const { body, status } = yield* host.call("olga", route, { body: { reason: "" } })
        assert.deepStrictEqual([status, body.needs], [403, "queue:admin"])
      }
      const { status } = yield* host.call("adam", "POST /queue/pause", { body: { scope: "lunch", reason: "" } })
      assert.strictEqual(status, 422)
    })
  )
})
