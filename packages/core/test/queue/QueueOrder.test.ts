import { assert, describe, it } from "@effect/vitest"
import type { QueueEntry } from "@fairlead/core/queue/QueueEntry"
import { firstState, QueueState, rankOf } from "@fairlead/core/queue/QueueEntry"
import { aheadOf, loadOf, waitSeconds } from "@fairlead/core/queue/QueueLoad"
import { byRank, type NodeOffer, nextToRun, readied, withState } from "@fairlead/core/queue/QueueOrder"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import { second, waitingEntry } from "@fairlead/testing/fixtures/QueueFixtures"
import { executionId, userId } from "@fairlead/testing/fixtures/Uuid"
import { DateTime, Schema } from "effect"

const nodeId = NodeId.make("process/a")
const offer = (change: Partial<NodeOffer> = {}): NodeOffer => ({
  nodeId,
  runtime: "process",
  capabilities: ["process/python/3.11.4"],
  capacity: 10,
  limit: 100,
  ...change
})

const Small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
/** Owner, rank, state and key of one entry; its number is its index. */
const Line = Schema.Array(
  Schema.Struct({ owner: Small(3), rank: Small(20), state: QueueState, key: Small(2), due: Small(20) })
).check(Schema.isMaxLength(25))

const queueOf = (drawn: typeof Line.Type): ReadonlyArray<QueueEntry> =>
  drawn.map(({ due, key, owner, rank, state }, n) =>
    waitingEntry(n, {
      ownerId: userId(owner),
      rankAt: second(rank),
      state,
      ...(state === "delayed" ? { runAt: second(due) } : {}),
      ...(state === "blocked" || key === 2 ? { concurrencyKey: `k${key}` } : {}),
      ...(state === "assigned" ? { nodeId } : {})
    })
  )
const runningOf = (entries: ReadonlyArray<QueueEntry>, owner: QueueEntry["ownerId"]) =>
  entries.filter(({ ownerId, state }) => state === "assigned" && ownerId === owner).length

describe("nextToRun", () => {
  it.prop(
    "admits waiting entries only, each once, and leaves no slot empty that one of them could have",
    [Line],
    ([drawn]) => {
      const entries = queueOf(drawn)
      const next = nextToRun(entries, offer(), {})
      assert.strictEqual(new Set(next).size, next.length)
      assert.isTrue(next.every(({ state }) => state === "waiting"))
      const waiting = entries.filter(({ state }) => state === "waiting").length
      const free = Math.max(0, 10 - entries.filter(({ state }) => state === "assigned").length)
      assert.strictEqual(next.length, Math.min(waiting, free))
    }
  )

  it.prop("gives every slot to a user of whom nobody that waits has fewer running", [Line], ([drawn]) => {
    let entries = queueOf(drawn)
    for (const chosen of nextToRun(entries, offer(), {})) {
      const mine = runningOf(entries, chosen.ownerId)
      for (const other of entries.filter(({ state }) => state === "waiting"))
        assert.isAtLeast(runningOf(entries, other.ownerId), mine)
      const own = entries.filter(({ ownerId, state }) => state === "waiting" && ownerId === chosen.ownerId)
      assert.strictEqual(own.sort(byRank)[0], chosen)
      entries = entries.map((entry) => (entry === chosen ? withState(entry, "assigned") : entry))
    }
  })

  it.prop(
    "keeps the limits of users and runtimes, and runs only what the place offers",
    [Line, Small(5), Small(12)],
    ([drawn, perUser, ofKind]) => {
      const entries = queueOf(drawn)
      const next = nextToRun(entries, offer({ capacity: 100 }), { perUser, perRuntime: { process: ofKind } })
      const assigned = entries.filter(({ state }) => state === "assigned").length
      if (next.length > 0) assert.isAtMost(assigned + next.length, ofKind)
      for (const { ownerId } of next)
        assert.isAtMost(runningOf(entries, ownerId) + next.filter((entry) => entry.ownerId === ownerId).length, perUser)
      assert.deepStrictEqual(nextToRun(entries, offer({ capabilities: ["process/node/22.0.0"] }), {}), [])
    }
  )

  it("delays one script of a user by a slot at most, however many another one has queued", () => {
    const flood = Array.from({ length: 10_000 }, (_, n) =>
      waitingEntry(n, { ownerId: userId(1), priority: 0, rankAt: second(0) })
    )
    const single = waitingEntry(20_000, { ownerId: userId(2), priority: 10, rankAt: second(10_000) })
    const next = nextToRun([...flood, single], offer({ limit: 2 }), {})
    assert.include(
      next.map(({ executionId }) => executionId),
      single.executionId
    )
  })
})

describe("readied", () => {
  it.prop("lets one of a key through at a time, and nobody before its time", [Line, Small(20)], ([drawn, now]) => {
    const ready = readied(queueOf(drawn.filter(({ state }) => state === "delayed" || state === "blocked")), second(now))
    const keys = ready
      .filter(({ concurrencyKey, state }) => state === "waiting" && concurrencyKey !== undefined)
      .map(({ concurrencyKey, ownerId }) => `${ownerId} ${concurrencyKey}`)
    assert.strictEqual(new Set(keys).size, keys.length)
    for (const { runAt, state } of ready)
      assert.strictEqual(state === "delayed", runAt !== undefined && DateTime.isGreaterThan(runAt, second(now)))
    const waits = ready.filter(({ state }) => state === "blocked")
    assert.isTrue(waits.every(({ concurrencyKey, ownerId }) => keys.includes(`${ownerId} ${concurrencyKey}`)))
    assert.deepStrictEqual(readied(ready, second(now)), ready)
  })
})

describe("rankOf", () => {
  it.prop(
    "lets whatever waited long enough go before newer entries of a better priority",
    [Small(10), Small(10)],
    ([worse, better]) => {
      const old = rankOf(second(0), worse, 60_000)
      const fresh = rankOf(second(worse * 60 + 1), better, 60_000)
      assert.isTrue(DateTime.isLessThan(old, fresh))
    }
  )

  it("puts a better priority first among entries of the same time", () => {
    assert.isTrue(DateTime.isLessThan(rankOf(second(0), 1, 60_000), rankOf(second(0), 5, 60_000)))
  })

  it("tells the state in which an entry begins", () => {
    const now = second(5)
    assert.strictEqual(firstState({}, now), "waiting")
    assert.strictEqual(firstState({ runAt: second(5) }, now), "waiting")
    assert.strictEqual(firstState({ concurrencyKey: "k" }, now), "blocked")
    assert.strictEqual(firstState({ runAt: second(6), concurrencyKey: "k" }, now), "delayed")
  })
})

describe("aheadOf", () => {
  it.prop("is how many start before, when slots come free one by one", [Line], ([drawn]) => {
    const line = queueOf(drawn.filter(({ state }) => state === "waiting" || state === "assigned"))
    const mine = waitingEntry(999, { ownerId: userId(9), rankAt: second(99) })
    let entries = [...line, mine]
    const load = loadOf(entries, new Set())
    let before = 0
    while (true) {
      const [next] = nextToRun(entries, offer({ capacity: 1_000, limit: 1 }), {})
      if (next === undefined || next.executionId === executionId(999)) break
      before++
      entries = entries.map((entry) => (entry === next ? withState(entry, "assigned") : entry))
    }
    // Users that have equally much go in the order of rank; the estimate puts them all before.
    assert.isAtMost(before, aheadOf(load, "process", userId(9), 0))
  })

  it("gives seconds only when it is known how long scripts take", () => {
    assert.isUndefined(waitSeconds(3, 2, undefined))
    assert.isUndefined(waitSeconds(3, 0, 1_000))
    assert.strictEqual(waitSeconds(3, 2, 1_000), 2)
  })
})
