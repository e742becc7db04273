/** What operators do to the line: the whole core on memory, its clock in the hands of the tests. */
import { assert, describe } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { queueStream } from "@fairlead/core/queue/Queue"
import { Effect } from "effect"
import { now, pass, started, statuses, submitted, test } from "../executions/support/LineHosts.ts"
import { admin, alice, bob, lines, source } from "../executions/support/MemoryHost.ts"

const audited = Effect.flatMap(EventLog, (log) => log.readStream(queueStream, { afterVersion: 0, limit: 10 }))

describe("Queue.pause", () => {
  test(
    "holds for every host, also one that starts later, and ends everywhere at once",
    Effect.gen(function* () {
      const a = yield* started("a")
      const before = yield* submitted(a.executions, lines("sleep 3000"))
      yield* pass(1)
      yield* a.queue.pause(admin, "process", "upgrade", source)
      const b = yield* started("b")
      const after = yield* Effect.forEach([a, b], ({ executions }) => submitted(executions, lines("out later")))
      yield* pass(10)
      assert.deepStrictEqual(yield* statuses(a.executions, [before, ...after]), ["completed", "queued", "queued"])
      assert.isTrue(yield* b.queue.resume(admin, "process", "done", source))
      yield* pass(2)
      assert.deepStrictEqual(yield* statuses(a.executions, after), ["completed", "completed"])
    })
  )

  test(
    "is on record once, whoever asks again, with who asked and from where",
    Effect.gen(function* () {
      const { queue } = yield* started("a")
      const first = yield* queue.pause(admin, "all", "upgrade", { ...source, ipAddress: "192.0.2.1" })
      assert.deepStrictEqual(yield* queue.pause({ ...admin, username: "root" }, "all", "mine", source), first)
      assert.deepStrictEqual(yield* queue.pauses, [first])
      assert.isFalse(yield* queue.resume(admin, "docker", "", source))
      assert.isTrue(yield* queue.resume(admin, "all", "done", source))
      const events = yield* audited
      assert.deepStrictEqual(
        events.map(({ event }) => event),
        [
          { _tag: "QueuePaused", scope: "all", reason: "upgrade", pausedBy: admin.username },
          { _tag: "QueueResumed", scope: "all", reason: "done", resumedBy: admin.username }
        ]
      )
      assert.deepInclude(events[0]?.metadata, { userId: admin.userId, ipAddress: "192.0.2.1" })
    })
  )
})

describe("Queue.reprioritise", () => {
  test(
    "lets an owner's later script go before the earlier one",
    Effect.gen(function* () {
      const { executions, queue } = yield* started("a", 1)
      yield* submitted(executions, lines("sleep 2000"))
      const early = yield* submitted(executions, lines("sleep 3000"))
      const late = yield* submitted(executions, lines("sleep 3000"))
      yield* pass(1)
      const { entry, position } = yield* queue.reprioritise(admin, late, 0, source)
      assert.deepStrictEqual([entry.priority, position.priority], [0, 0])
      yield* pass(3)
      assert.deepStrictEqual(yield* statuses(executions, [early, late]), ["queued", "running"])
      const again = queue.reprioritise(admin, late, 1, source)
      assert.strictEqual((yield* Effect.flip(again))._tag, "SlotAssigned")
      const foreign = queue.reprioritise(bob, early, 1, source)
      assert.strictEqual((yield* Effect.flip(foreign))._tag, "QueueEntryNotFound")
      yield* pass(6)
      const gone = queue.reprioritise(admin, early, 1, source)
      assert.strictEqual((yield* Effect.flip(gone))._tag, "QueueEntryNotFound")
    })
  )

  test(
    "stays with an execution that is tried again",
    Effect.gen(function* () {
      const { executions, queue } = yield* started("a", 1)
      const retryPolicy = { maxAttempts: 2, backoffMillis: 60_000, on: ["script_error" as const] }
      yield* submitted(executions, lines("sleep 1000"))
      const id = yield* submitted(executions, lines("exit 1", { retryPolicy }))
      yield* queue.reprioritise(admin, id, 1, source)
      yield* pass(3)
      const { entry } = yield* queue.get(alice, id)
      assert.deepInclude(entry, { state: "delayed", priority: 1 })
      assert.strictEqual((yield* now(executions, id)).attempt, 1)
    })
  )
})

describe("Instances.list", () => {
  test(
    "tells living hosts from those that left, and counts what runs in their places",
    Effect.gen(function* () {
      const [a, b] = [yield* started("a", 1), yield* started("b", 3)]
      yield* submitted(a.executions, lines("hang"))
      yield* b.stop
      yield* pass(3)
      const instances = yield* a.instances.list
      const of = (name: string) => instances.find(({ instance }) => instance.name === name)
      assert.deepInclude(of("a"), { alive: true })
      assert.deepInclude(of("a")?.nodes[0], { capacity: 1, running: 1 })
      assert.deepInclude(of("b"), { alive: false })
      assert.deepInclude(of("b")?.nodes[0], { capacity: 3, running: 0 })
      assert.isTrue(of("b")?.instance.draining)
    })
  )
})
