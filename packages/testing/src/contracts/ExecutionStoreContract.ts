/** What every store of executions promises. */
import { assert, it } from "@effect/vitest"
import { EventLog } from "@fairlead/core/events/EventLog"
import { Execution, noOutput } from "@fairlead/core/executions/Execution"
import { type LabelMatch, maximumLabels } from "@fairlead/core/executions/ExecutionLabels"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { ExecutionStore } from "@fairlead/core/executions/ExecutionStore"
import { IdempotencyStore } from "@fairlead/core/executions/IdempotencyStore"
import type { Stores } from "@fairlead/core/Stores"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { DateTime, Effect, Equal, Exit, type Layer, Option } from "effect"
import { runningEvent } from "../fixtures/EventFixtures.ts"
import { awkwardText, completedExecution, instant, queuedExecution } from "../fixtures/ExecutionFixtures.ts"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId, userId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

const page = { limit: 100, offset: 0 }

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`ExecutionStore (${name})`, (it) => {
    it.effect("find gives back what was inserted, equal in every field", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const awkward = queuedExecution(1, { script: awkwardText, args: [awkwardText, ""] })
        for (const execution of [awkward, completedExecution(2)]) {
          yield* store.insert(execution)
          assert.isTrue(Equal.equals(yield* store.find(execution.executionId), Option.some(execution)))
        }
        assert.isTrue(Option.isNone(yield* store.find(executionId(3))))
      })
    )

    it.effect("insert dies of an id that exists, and keeps the first", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        yield* store.insert(queuedExecution(11))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(store.insert(queuedExecution(11, { lang: "node" })))))
        assert.isTrue(Equal.equals(yield* store.find(executionId(11)), Option.some(queuedExecution(11))))
      })
    )

    it.effect("list pages newest first and counts every match", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const ownerId = userId(20)
        for (const n of [21, 23, 22]) yield* store.insert(queuedExecution(n, { ownerId }))
        const idsOf = (limit: number, offset: number) =>
          Effect.map(store.list({ ownerId, limit, offset }), ({ executions, total }) => [
            total,
            ...executions.map((execution) => execution.executionId)
          ])
        assert.deepStrictEqual(yield* idsOf(2, 0), [3, executionId(23), executionId(22)])
        assert.deepStrictEqual(yield* idsOf(2, 2), [3, executionId(21)])
        assert.deepStrictEqual(yield* idsOf(2, 9), [3])
      })
    )

    it.effect("list filters by owner, status, language, and by time: from is included, to is not", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const ownerId = userId(30)
        const at = (seconds: number) => DateTime.add(instant, { seconds })
        yield* store.insert(queuedExecution(31, { ownerId, createdAt: at(0) }))
        yield* store.insert(queuedExecution(32, { ownerId, createdAt: at(1), lang: "node" }))
        yield* store.insert(completedExecution(33, { ownerId, createdAt: at(2) }))
        yield* store.insert(queuedExecution(34, { ownerId: userId(39), createdAt: at(1) }))
        const found = (filter: object) =>
          Effect.map(store.list({ ...page, ...filter }), ({ executions }) =>
            executions.map((execution) => execution.executionId)
          )
        assert.deepStrictEqual(yield* found({ ownerId }), [executionId(33), executionId(32), executionId(31)])
        assert.deepStrictEqual(yield* found({ ownerId, statuses: ["queued"] }), [executionId(32), executionId(31)])
        assert.deepStrictEqual(yield* found({ ownerId, statuses: ["queued", "completed"] }), yield* found({ ownerId }))
        assert.deepStrictEqual(yield* found({ ownerId, statuses: [] }), yield* found({ ownerId }))
        assert.deepStrictEqual(yield* found({ ownerId, statuses: ["queued"], lang: "node" }), [executionId(32)])
        assert.deepStrictEqual(yield* found({ ownerId, from: at(1), to: at(2) }), [executionId(32)])
      })
    )

    it.effect("list finds executions by a part of the name and by all the labels that are asked for", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const ownerId = userId(80)
        const awkward = { "it's": 'a"b%_\\', key: "" }
        yield* store.insert(
          queuedExecution(81, { ownerId, name: "Nightly import", labels: { team: "billing", env: "prod" } })
        )
        yield* store.insert(
          queuedExecution(82, { ownerId, name: "100%_done\\", labels: { team: "core", env: "prod" } })
        )
        yield* store.insert(queuedExecution(83, { ownerId, labels: awkward }))
        yield* store.insert(queuedExecution(84, { ownerId }))
        const found = (filter: object) =>
          Effect.map(store.list({ ...page, ownerId, ...filter }), ({ executions }) =>
            executions.map((execution) => Number.parseInt(execution.executionId.slice(-12), 10))
          )
        const named = (name: string) => found({ name })
        const labelled = (...labels: ReadonlyArray<LabelMatch>) => found({ labels })
        assert.deepStrictEqual(yield* named("IMPORT"), [81])
        assert.deepStrictEqual(yield* named("%_d"), [82])
        assert.deepStrictEqual(yield* named("\\"), [82])
        assert.deepStrictEqual(yield* named("none"), [])
        assert.deepStrictEqual(yield* labelled({ key: "team" }), [82, 81])
        assert.deepStrictEqual(yield* labelled({ key: "team", value: "billing" }), [81])
        assert.deepStrictEqual(yield* labelled({ key: "env", value: "prod" }, { key: "team", value: "core" }), [82])
        assert.deepStrictEqual(yield* labelled({ key: "team", value: "billing" }, { key: "team", value: "core" }), [])
        for (const [key, value] of Object.entries(awkward))
          assert.deepStrictEqual(yield* labelled({ key, value }), [83])
        assert.deepStrictEqual(yield* found({ name: "night", labels: [{ key: "env" }], statuses: ["queued"] }), [81])
      })
    )

    it.effect("relabel changes what is named, takes away what is null, and nothing else", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const before = queuedExecution(91, { name: "a", labels: { team: "billing", env: "prod" } })
        yield* store.insert(before)
        const id = before.executionId
        const changed = yield* store.relabel(id, { name: null, labels: { env: null, tier: "1" } })
        const after = queuedExecution(91, { labels: { team: "billing", tier: "1" } })
        assert.isTrue(Equal.equals(changed, Option.some(after)))
        assert.isTrue(Equal.equals(yield* store.find(id), Option.some(after)))
        yield* store.relabel(id, { name: "b", labels: { team: null, tier: null } })
        assert.isTrue(Equal.equals(yield* store.find(id), Option.some(queuedExecution(91, { name: "b" }))))
        assert.isTrue(Option.isNone(yield* store.relabel(executionId(92), { name: "c" })))
      })
    )

    it.effect("relabel refuses more labels than there may be, and changes nothing then", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const numbered = (from: number, to: number) =>
          Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`label-${from + i}`, ""]))
        const full = queuedExecution(95, { labels: numbered(0, maximumLabels) })
        yield* store.insert(full)
        const refused = yield* Effect.flip(store.relabel(full.executionId, { labels: { more: "" } }))
        assert.deepInclude(refused, { _tag: "TooManyLabels", maximum: maximumLabels })
        assert.isTrue(Equal.equals(yield* store.find(full.executionId), Option.some(full)))
        yield* store.relabel(full.executionId, { labels: { more: "", "label-0": null } })
        yield* Effect.all(
          [1, 2, 3, 4].map((n) => store.relabel(full.executionId, { labels: { [`label-${n}`]: "changed" } })),
          { concurrency: "unbounded" }
        )
        const labels = Option.getOrThrow(yield* store.find(full.executionId)).labels ?? {}
        assert.strictEqual(Object.values(labels).filter((value) => value === "changed").length, 4)
      })
    )

    it.effect(
      "storedOutputBytes adds up both streams of the ended attempts of one owner, without what was removed",
      () =>
        Effect.gen(function* () {
          const store = yield* ExecutionStore
          const [ownerId, nobody] = [userId(100), userId(101)]
          const outcome = { ...noOutput, stdoutBytes: 10 * 1024 ** 3, stderrBytes: 2 }
          const earlierAttempts = [1, 2].map((attempt) => ({
            attempt,
            status: "failed" as const,
            finishedAt: instant,
            outcome: { ...noOutput, stdoutBytes: 100, stderrBytes: 10 }
          }))
          const stored = Effect.all([store.storedOutputBytes(ownerId), store.storedOutputBytes(nobody)])
          assert.deepStrictEqual(yield* stored, [0, 0])
          yield* store.insert(completedExecution(101, { ownerId, outcome }))
          yield* store.insert(completedExecution(102, { ownerId, outcome, attempt: 3, earlierAttempts }))
          yield* store.insert(queuedExecution(103, { ownerId, attempt: 2, earlierAttempts }))
          yield* store.insert(queuedExecution(104, { ownerId }))
          // Its next attempt never began: its outcome is that of the attempt before.
          const { startedAt: _, ...cancelled } = completedExecution(105, { ownerId, attempt: 2, earlierAttempts })
          yield* store.insert(
            new Execution({ ...cancelled, status: "cancelled", outcome: { ...noOutput, stdoutBytes: 100 } })
          )
          yield* store.insert(completedExecution(106, { ownerId: userId(102), outcome }))
          const each = 10 * 1024 ** 3 + 2
          assert.deepStrictEqual(yield* stored, [2 * each + 3 * 220, 0])
          yield* store.remove(executionId(102))
          assert.deepStrictEqual(yield* stored, [each + 2 * 220, 0])
          yield* store.relabel(executionId(101), { name: "renamed" })
          assert.deepStrictEqual(yield* stored, [each + 2 * 220, 0])
        })
    )

    it.effect("remove takes a terminal execution with its output, its saga and its key; its events stay", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const output = yield* ExecutionOutputStore
        const sagas = yield* SagaStore
        const keys = yield* IdempotencyStore
        const log = yield* EventLog
        const key = { executionId: executionId(51), attempt: 1 }
        const claim = { ownerId: userId(50), key: "k", requestHash: "h", executionId: executionId(51), at: instant }
        yield* store.insert(completedExecution(51))
        yield* sagas.insert(createdSaga(51))
        yield* output.append(key, { sagaId: sagaId(51), fence: 0 }, [
          { output: "stdout", offset: 0, bytes: new Uint8Array(3) }
        ])
        yield* keys.claim(claim)
        yield* log.append("execution/51", [runningEvent(51)])

        assert.isTrue(yield* store.remove(executionId(51)))
        assert.isTrue(Option.isNone(yield* store.find(executionId(51))))
        assert.isTrue(Option.isNone(yield* sagas.find(sagaId(51))))
        assert.deepStrictEqual(yield* output.sizes(key), { stdout: 0, stderr: 0 })
        assert.deepStrictEqual(yield* keys.claim(claim), { _tag: "New" })
        assert.strictEqual((yield* log.readStream("execution/51", { afterVersion: 0, limit: 10 })).length, 1)
        assert.isFalse(yield* store.remove(executionId(51)))
      })
    )

    it.effect("removeEndedBefore takes the oldest ended ones with all they have, at most as many as asked", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        const [sagas, output] = [yield* SagaStore, yield* ExecutionOutputStore]
        // Far in the past, so that executions of other tests are too young.
        const at = (seconds: number) => DateTime.add(DateTime.makeUnsafe("2001-01-01T00:00:00Z"), { seconds })
        for (const n of [73, 71, 72]) {
          yield* store.insert(completedExecution(n, { finishedAt: at(n) }))
          yield* sagas.insert(createdSaga(n))
          const fence = { sagaId: sagaId(n), fence: 0 }
          yield* output.append(completedExecution(n), fence, [
            { output: "stdout", offset: 0, bytes: new Uint8Array(3) }
          ])
        }
        yield* store.insert(queuedExecution(70))
        const left = Effect.map(
          Effect.filter([70, 71, 72, 73], (n) => Effect.map(store.find(executionId(n)), Option.isSome)),
          (numbers) => numbers.join(" ")
        )
        assert.strictEqual(yield* store.removeEndedBefore(at(71), 10), 0)
        assert.strictEqual(yield* store.removeEndedBefore(at(73), 10), 2)
        assert.strictEqual(yield* left, "70 73")
        assert.isTrue(Option.isNone(yield* sagas.find(sagaId(71))))
        assert.deepStrictEqual(yield* output.sizes(completedExecution(72)), { stdout: 0, stderr: 0 })
        assert.isTrue(Option.isSome(yield* sagas.find(sagaId(73))))
        yield* store.insert(completedExecution(74, { finishedAt: at(1) }))
        assert.strictEqual(yield* store.removeEndedBefore(at(100), 1), 1)
        assert.strictEqual(yield* left, "70 73")
        assert.strictEqual(yield* store.removeEndedBefore(at(100), 1), 1)
        assert.strictEqual(yield* store.removeEndedBefore(at(100), 1), 0)
        assert.strictEqual(yield* left, "70")
      })
    )

    it.effect("remove leaves an execution that is not terminal, and all that belongs to it", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionStore
        yield* store.insert(queuedExecution(61))
        yield* (yield* SagaStore).insert(createdSaga(61))
        assert.isFalse(yield* store.remove(executionId(61)))
        assert.isTrue(Option.isSome(yield* store.find(executionId(61))))
        assert.isTrue(Option.isSome(yield* (yield* SagaStore).find(sagaId(61))))
      })
    )
  })
