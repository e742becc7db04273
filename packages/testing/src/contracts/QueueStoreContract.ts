/** What every line promises: who is next is decided as `QueueOrder` says, once for all instances. Each test has users or a kind of runtime to itself. */
import { assert, it } from "@effect/vitest"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import type { QueueEntry } from "@fairlead/core/queue/QueueEntry"
import { byRank, type NodeOffer, nextToRun, type QueueLimits, readied } from "@fairlead/core/queue/QueueOrder"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import type { RuntimeKind } from "@fairlead/core/runtime/Job"
import { NodeId } from "@fairlead/core/runtime/NodeId"
import type { Stores } from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { Saga } from "@fairlead/core/sagas/Saga"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Effect, Equal, Exit, type Layer, Option } from "effect"
import { completedExecution, instant, queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { second, waitingEntry } from "../fixtures/QueueFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId, userId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

const at = (runtime: RuntimeKind, node = "a") => NodeId.make(`${runtime}/${node}`)
const requirement = (runtime: RuntimeKind) => `${runtime}/python/3.11.4`
const offer = (runtime: RuntimeKind, change: Partial<NodeOffer> = {}): NodeOffer => ({
  nodeId: at(runtime),
  runtime,
  capabilities: [requirement(runtime)],
  capacity: 100,
  limit: 100,
  ...change
})
/** Entries of one kind, of an owner who has no others. */
const entryOf =
  (runtime: RuntimeKind, owner: number) =>
  (n: number, change: Partial<QueueEntry> = {}) =>
    waitingEntry(n, { runtime, requirement: requirement(runtime), ownerId: userId(owner), ...change })
const idsOf = (entries: ReadonlyArray<QueueEntry>) => entries.map(({ executionId }) => executionId)

/** Everything of one kind of runtime, whatever its state. */
const entriesOf = (runtime: RuntimeKind) =>
  Effect.flatMap(QueueStore, (store) => store.list({ runtime, limit: 500, offset: 0 })).pipe(
    Effect.map(({ entries }) => entries)
  )

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`QueueStore (${name})`, (it) => {
    it.effect("find gives back what enqueue was given", () =>
      Effect.gen(function* () {
        const store = yield* QueueStore
        const entry = entryOf("agent", 10)
        const later = { state: "delayed", runAt: second(9), concurrencyKey: "k" } as const
        for (const given of [entry(1), entry(2, { state: "blocked", concurrencyKey: "k" }), entry(3, later)]) {
          yield* store.enqueue(given)
          assert.isTrue(Equal.equals(yield* store.find(given.executionId), Option.some(given)))
        }
        assert.isTrue(Exit.hasDies(yield* Effect.exit(store.enqueue(entry(1)))))
        assert.isTrue(Option.isNone(yield* store.find(executionId(4))))
      })
    )

    it.effect("enqueue leaves nothing behind when its transaction rolls back", () =>
      Effect.gen(function* () {
        const { transaction } = yield* Storage
        const store = yield* QueueStore
        yield* Effect.flip(transaction(Effect.andThen(store.enqueue(entryOf("agent", 10)(11)), Effect.fail("stop"))))
        assert.isTrue(Option.isNone(yield* store.find(executionId(11))))
      })
    )

    it.effect("admit chooses as the order says, whoever waits and however often it is asked", () =>
      Effect.gen(function* () {
        const store = yield* QueueStore
        const entry = entryOf("docker", 11)
        const owners = [11, 11, 11, 11, 12, 12, 13, 11, 14, 14]
        for (const [i, owner] of owners.entries())
          yield* store.enqueue(entry(100 + i, { ownerId: userId(owner), rankAt: second((i * 7) % 10) }))
        yield* store.enqueue(entry(120, { requirement: "docker/node/22.0.0" }))
        for (const limits of [{}, { perUser: 2 }, { perRuntime: { docker: 7 } }] satisfies ReadonlyArray<QueueLimits>) {
          const wanted = offer("docker", { limit: 3, capacity: 8 })
          const expected = nextToRun(yield* entriesOf("docker"), wanted, limits)
          const assigned = yield* store.assign(wanted, limits, instant)
          assert.deepStrictEqual(idsOf(assigned), idsOf(expected))
          assert.isTrue(assigned.every(({ nodeId, state }) => nodeId === wanted.nodeId && state === "assigned"))
        }
        const full = offer("docker", {
          capacity: yield* Effect.map(store.assignedTo(at("docker")), (ids) => ids.length)
        })
        assert.deepStrictEqual(yield* store.assign(full, {}, instant), [])
      })
    )

    it.effect("admit at once from many hosts admits each once, and never more than fit", () =>
      Effect.gen(function* () {
        const store = yield* QueueStore
        for (let n = 200; n < 220; n++) yield* store.enqueue(entryOf("ssh", 20)(n))
        const rivals = Array.from({ length: 8 }, () =>
          store.assign(offer("ssh", { capacity: 15, limit: 3 }), {}, instant)
        )
        const assigned = (yield* Effect.all(rivals, { concurrency: 8 })).flatMap(idsOf)
        assert.strictEqual(new Set(assigned).size, assigned.length)
        assert.strictEqual(assigned.length, 15)
        assert.deepStrictEqual((yield* store.assignedTo(at("ssh"))).toSorted(), assigned.toSorted())
        assert.deepStrictEqual(yield* store.assignedTo(at("ssh", "b")), [])
      })
    )

    it.effect("admit readies what is due: delays that are over, and one of a key at a time", () =>
      Effect.gen(function* () {
        const store = yield* QueueStore
        const entry = entryOf("kubernetes", 30)
        yield* store.enqueue(entry(300, { state: "delayed", runAt: second(10) }))
        yield* store.enqueue(entry(301, { state: "blocked", concurrencyKey: "k" }))
        yield* store.enqueue(entry(302, { state: "blocked", concurrencyKey: "k" }))
        yield* store.enqueue(entry(303, { state: "blocked", concurrencyKey: "k", ownerId: userId(31) }))
        yield* store.enqueue(entry(304, { state: "delayed", runAt: second(10), concurrencyKey: "k" }))
        const before = yield* entriesOf("kubernetes")
        assert.deepStrictEqual(idsOf(yield* store.assign(offer("kubernetes"), {}, second(9))).toSorted(), [
          executionId(301),
          executionId(303)
        ])
        assert.deepStrictEqual(idsOf(yield* store.assign(offer("kubernetes"), {}, second(10))), [executionId(300)])
        const ready = readied(before, second(10)).filter(({ state }) => state === "waiting")
        assert.deepStrictEqual(idsOf(ready).toSorted(), [300, 301, 303].map(executionId))
        assert.strictEqual(Option.getOrThrow(yield* store.find(executionId(304))).state, "blocked")
      })
    )

    it.effect("claimKey tells who has a key, one transaction after the other", () =>
      Effect.gen(function* () {
        const [store, storage] = [yield* QueueStore, yield* Storage]
        const owned = entryOf("agent", 35)
        yield* store.enqueue(owned(350, { concurrencyKey: "other" }))
        yield* store.enqueue(owned(351, { concurrencyKey: "k", ownerId: userId(36) }))
        // Each adds itself only if nobody else is there yet.
        const rivals = Array.from({ length: 8 }, (_, i) =>
          storage.transaction(
            Effect.gen(function* () {
              const holders = yield* store.claimKey(userId(35), "k")
              if (holders.length > 0) return idsOf(holders)
              yield* store.enqueue(owned(360 + i, { state: "blocked", concurrencyKey: "k" }))
              return []
            })
          )
        )
        const answers = yield* Effect.all(rivals, { concurrency: 8 })
        const holders = yield* storage.transaction(store.claimKey(userId(35), "k"))
        assert.strictEqual(holders.length, 1)
        assert.strictEqual(answers.filter((found) => found.length === 0).length, 1)
        for (const found of answers) if (found.length > 0) assert.deepStrictEqual(found, idsOf(holders))
        yield* store.enqueue(owned(340, { concurrencyKey: "k", rankAt: second(-1) }))
        const ordered = yield* storage.transaction(store.claimKey(userId(35), "k"))
        assert.deepStrictEqual(idsOf(ordered), [executionId(340), ...idsOf(holders)])
      })
    )

    it.effect("a pause stops admission and entry of its scope until it is resumed", () =>
      Effect.gen(function* () {
        const store = yield* QueueStore
        const entry = entryOf("process", 40)
        yield* store.enqueue(entry(400))
        for (const scope of ["process", "all"] as const) {
          const pause = { scope, at: instant, by: "alice", reason: "upgrade" }
          assert.isTrue(yield* store.pause(pause))
          assert.isFalse(yield* store.pause({ ...pause, by: "bob" }))
          assert.deepStrictEqual(yield* store.pauses, [pause])
          assert.isTrue((yield* store.load).paused.has(scope))
          assert.deepStrictEqual(yield* store.assign(offer("process"), {}, instant), [])
          assert.isTrue(yield* store.resume(scope))
          assert.isFalse(yield* store.resume(scope))
        }
        assert.deepStrictEqual(idsOf(yield* store.assign(offer("process"), {}, instant)), [executionId(400)])
        yield* store.pause({ scope: "process", at: instant, by: "alice", reason: "" })
        yield* store.enqueue(entry(401))
        assert.deepStrictEqual(yield* store.assign(offer("process"), {}, instant), [])
        yield* store.resume("process")
      })
    )

    it.effect("withdraw, requeue and reprioritise ask whether an entry is admitted", () =>
      Effect.gen(function* () {
        const store = yield* QueueStore
        const process = entryOf("process", 50)
        yield* store.enqueue(process(500, { rankAt: second(-1), requirement: "process/a/1" }))
        yield* store.enqueue(process(501, { requirement: "process/a/1" }))
        const only = offer("process", { nodeId: at("process", "c"), capabilities: ["process/a/1"], limit: 1 })
        assert.deepStrictEqual(idsOf(yield* store.assign(only, {}, instant)), [executionId(500)])
        const assigned = Option.getOrThrow(yield* store.find(executionId(500)))
        assert.isFalse(yield* store.withdraw(executionId(500)))
        assert.isFalse(yield* store.reprioritise(executionId(500), 1, second(1)))
        assert.isTrue(yield* store.reprioritise(executionId(501), 1, second(-2)))
        const again = process(500, { ...assigned, state: "delayed", runAt: second(5), sagaId: sagaId(9) })
        assert.isTrue(yield* store.requeue(again))
        assert.isFalse(yield* store.requeue(again))
        const found = Option.getOrThrow(yield* store.find(executionId(500)))
        assert.deepInclude(found, { state: "delayed", sagaId: sagaId(9), runAt: second(5) })
        assert.isUndefined(found.nodeId)
        assert.deepInclude(Option.getOrThrow(yield* store.find(executionId(501))), { priority: 1, rankAt: second(-2) })
        assert.isTrue(yield* store.withdraw(executionId(501)))
        assert.isFalse(yield* store.withdraw(executionId(501)))
      })
    )

    it.effect("list, ownAhead, load and expired tell what is there", () =>
      Effect.gen(function* () {
        const store = yield* QueueStore
        const ownerId = userId(60)
        const mine = (n: number, change: Partial<QueueEntry> = {}) =>
          waitingEntry(n, { ownerId, requirement: "process/b/1", ...change })
        const entries = [
          mine(602, { rankAt: second(3) }),
          mine(601, { rankAt: second(1), expiresAt: second(20) }),
          mine(603, { rankAt: second(2), state: "delayed", runAt: second(50), expiresAt: second(19) })
        ]
        for (const entry of entries) yield* store.enqueue(entry)
        const listed = yield* store.list({ ownerId, limit: 2, offset: 0 })
        assert.deepStrictEqual([idsOf(listed.entries), listed.total], [[executionId(601), executionId(603)], 3])
        const rest = yield* store.list({ ownerId, state: "waiting", limit: 2, offset: 1 })
        assert.deepStrictEqual([idsOf(rest.entries), rest.total], [[executionId(602)], 2])
        assert.deepStrictEqual(
          entries.toSorted(byRank).map(({ executionId }) => executionId),
          [601, 603, 602].map(executionId)
        )
        assert.strictEqual(yield* store.ownAhead(mine(602, { rankAt: second(3) })), 1)
        const load = yield* store.load
        assert.deepStrictEqual(
          load.owners.find((owner) => owner.ownerId === ownerId),
          {
            ownerId,
            runtime: "process",
            waiting: 2,
            delayed: 1,
            blocked: 0,
            assigned: 0
          }
        )
        assert.deepStrictEqual(yield* store.counts(ownerId), { active: 2, planned: 1 })
        assert.deepStrictEqual(yield* store.counts(userId(61)), { active: 0, planned: 0 })
        const placed = yield* Effect.map(store.assignedTo(at("process", "c")), (ids) => ids.length)
        assert.strictEqual(load.nodes.get(at("process", "c")) ?? 0, placed)
        assert.deepStrictEqual(idsOf(yield* store.expired(second(20), 10)).toSorted(), [601, 603].map(executionId))
        assert.strictEqual((yield* store.expired(second(20), 1)).length, 1)
      })
    )

    it.effect("an execution leaves the line with its end, and not before", () =>
      Effect.gen(function* () {
        const [store, journal, sagas] = [yield* QueueStore, yield* Journal, yield* SagaStore]
        yield* (yield* ExecutionStore).insert(queuedExecution(700))
        yield* sagas.insert(createdSaga(700))
        yield* store.enqueue(waitingEntry(700, { ownerId: userId(70), requirement: "process/c/1" }))
        const saga = Option.getOrThrow(yield* sagas.claim(sagaId(700), 1, "a"))
        const entry = { _tag: "SagaStarted", name: "run", definitionVersion: 1 } as const
        const write = (logLength: number, execution: ReturnType<typeof queuedExecution>) =>
          journal.append({
            saga: new Saga({ ...saga, logLength }),
            at: instant,
            entries: [entry],
            events: [],
            subject: execution
          })
        assert.isTrue(yield* write(1, queuedExecution(700, { status: "running" })))
        assert.isTrue(Option.isSome(yield* store.find(executionId(700))))
        assert.isTrue(yield* write(2, completedExecution(700)))
        assert.isTrue(Option.isNone(yield* store.find(executionId(700))))
      })
    )
  })
