/** What every store of output promises: bytes without gap or overlap, written only by the executor that holds the fence. */
import { assert, it } from "@effect/vitest"
import { ExecutionOutputStore, type OutputChunk, type OutputKey } from "@fairlead/core/executions/ExecutionOutputStore"
import type { Stores } from "@fairlead/core/Stores"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Effect, Exit, type Layer } from "effect"
import { createdSaga } from "../fixtures/SagaFixtures.ts"
import { executionId, sagaId } from "../fixtures/Uuid.ts"
import { liveSuite } from "./internal/eventually.ts"

const text = (output: OutputChunk["output"], offset: number, value: string): OutputChunk => ({
  output,
  offset,
  bytes: new TextEncoder().encode(value)
})
const stdout = (offset: number, value: string) => text("stdout", offset, value)
const stderr = (offset: number, value: string) => text("stderr", offset, value)

const key = (n: number, attempt = 1): OutputKey => ({ executionId: executionId(n), attempt })

/** Saga `n`, claimed once: the proof of its executor. */
const fenceOf = Effect.fnUntraced(function* (n: number) {
  const sagas = yield* SagaStore
  yield* sagas.insert(createdSaga(n))
  yield* sagas.claim(sagaId(n), 1, "a")
  return { sagaId: sagaId(n), fence: 1 }
})

const readText = Effect.fnUntraced(function* (at: OutputKey, output: OutputChunk["output"], offset = 0, limit = 1_000) {
  return new TextDecoder().decode(yield* (yield* ExecutionOutputStore).read(at, output, offset, limit))
})

/** Bytes that tell their own position. */
const patterned = (from: number, length: number) =>
  Uint8Array.from({ length }, (_, i) => ((from + i) * 31 + Math.floor((from + i) / 251)) % 256)

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`ExecutionOutputStore (${name})`, (it) => {
    it.effect("append keeps each stream of each attempt for itself, and read gives ranges of it", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionOutputStore
        const fence = yield* fenceOf(1)
        assert.isTrue(yield* store.append(key(1), fence, [stdout(0, "ab"), stderr(0, "E"), stdout(2, "cd")]))
        assert.isTrue(yield* store.append(key(1), fence, [stdout(4, "ef")]))
        assert.isTrue(yield* store.append(key(1, 2), fence, [stdout(0, "zz")]))
        assert.deepStrictEqual(yield* store.sizes(key(1)), { stdout: 6, stderr: 1 })
        assert.deepStrictEqual(yield* store.sizes(key(1, 2)), { stdout: 2, stderr: 0 })
        assert.deepStrictEqual(yield* store.sizes(key(9)), { stdout: 0, stderr: 0 })
        assert.strictEqual(yield* readText(key(1), "stdout"), "abcdef")
        assert.strictEqual(yield* readText(key(1), "stderr"), "E")
        assert.strictEqual(yield* readText(key(1), "stdout", 1, 4), "bcde")
        assert.strictEqual(yield* readText(key(1), "stdout", 3, 1), "d")
        assert.strictEqual(yield* readText(key(1), "stdout", 5, 9), "f")
        assert.strictEqual(yield* readText(key(1), "stdout", 6), "")
        assert.strictEqual(yield* readText(key(1), "stdout", 60), "")
        assert.strictEqual(yield* readText(key(9), "stdout"), "")
      })
    )

    it.effect("heads gives the beginnings of many attempts at once, in the order asked for", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionOutputStore
        const [first, second] = [yield* fenceOf(71), yield* fenceOf(72)]
        yield* store.append(key(71), first, [stdout(0, "ab"), stderr(0, "E")])
        yield* store.append(key(71), first, [stdout(2, "cdef")])
        yield* store.append(key(72), second, [stderr(0, "only")])
        const heads = yield* store.heads([key(72), key(79), key(71)], 4)
        const texts = heads.map(({ stderr, stdout }) =>
          [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes))
        )
        assert.deepStrictEqual(texts, [
          ["", "only"],
          ["", ""],
          ["abcd", "E"]
        ])
        assert.deepStrictEqual(yield* store.heads([], 4), [])
      })
    )

    it.effect(
      "append dies of a gap, of an overlap and of bytes that are there already, and writes none of the call",
      () =>
        Effect.gen(function* () {
          const store = yield* ExecutionOutputStore
          const fence = yield* fenceOf(11)
          yield* store.append(key(11), fence, [stdout(0, "abc")])
          const wrong = [
            [stdout(4, "e")],
            [stdout(2, "c")],
            [stdout(0, "abc")],
            [stdout(0, "")],
            [stderr(0, "E"), stdout(9, "x")],
            [stdout(3, "d"), stderr(1, "E")],
            [stdout(3, "d"), stdout(5, "f")]
          ]
          for (const chunks of wrong)
            assert.isTrue(Exit.hasDies(yield* Effect.exit(store.append(key(11), fence, chunks))))
          assert.deepStrictEqual(yield* store.sizes(key(11)), { stdout: 3, stderr: 0 })
          assert.isTrue(yield* store.append(key(11), fence, [stdout(3, ""), stdout(3, "d")]))
          assert.isTrue(yield* store.append(key(11), fence, []))
          assert.strictEqual(yield* readText(key(11), "stdout"), "abcd")
        })
    )

    it.effect("append under another fence than the saga's answers false and writes nothing", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionOutputStore
        const fence = yield* fenceOf(21)
        yield* (yield* SagaStore).claim(sagaId(21), 1, "b")
        assert.isFalse(yield* store.append(key(21), fence, [stdout(0, "a")]))
        assert.isFalse(yield* store.append(key(21), { sagaId: sagaId(29), fence: 0 }, [stdout(0, "a")]))
        assert.deepStrictEqual(yield* store.sizes(key(21)), { stdout: 0, stderr: 0 })
        assert.isTrue(yield* store.append(key(21), { ...fence, fence: 2 }, [stdout(0, "a")]))
      })
    )

    it.effect("large output comes back byte for byte, in ranges that cross every border", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionOutputStore
        const fence = yield* fenceOf(31)
        const total = 700_001
        for (let from = 0; from < total; from += 350_001) {
          const bytes = patterned(from, Math.min(350_001, total - from))
          assert.isTrue(yield* store.append(key(31), fence, [{ output: "stdout", offset: from, bytes }]))
        }
        assert.deepStrictEqual(yield* store.sizes(key(31)), { stdout: total, stderr: 0 })
        for (const [offset, limit] of [
          [0, total + 5],
          [262_143, 2],
          [262_144, 262_144],
          [349_999, 5],
          [612_144, 100_000],
          [700_000, 1]
        ] as const)
          assert.deepStrictEqual(
            Buffer.from(yield* store.read(key(31), "stdout", offset, limit)),
            Buffer.from(patterned(offset, Math.min(limit, total - offset)))
          )
      })
    )

    it.effect("append goes down with the caller's transaction", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionOutputStore
        const { transaction } = yield* Storage
        const fence = yield* fenceOf(41)
        const appended = store.append(key(41), fence, [stdout(0, "a")])
        yield* Effect.flip(transaction(Effect.andThen(appended, Effect.fail("stop"))))
        assert.deepStrictEqual(yield* store.sizes(key(41)), { stdout: 0, stderr: 0 })
      })
    )

    it.effect("who claims the saga sees all that the older executor wrote, and nothing is added afterwards", () =>
      Effect.gen(function* () {
        const store = yield* ExecutionOutputStore
        const sagas = yield* SagaStore
        for (let round = 51; round < 71; round++) {
          const fence = yield* fenceOf(round)
          let offset = 0
          const older = Effect.suspend(() => store.append(key(round), fence, [stdout(offset++, "x")])).pipe(
            Effect.repeat({ while: (written) => written, times: 50 })
          )
          const rival = Effect.gen(function* () {
            for (let i = 0; i < round; i++) yield* Effect.yieldNow
            yield* sagas.claim(sagaId(round), 1, "b")
            return yield* store.sizes(key(round))
          })
          const [, seen] = yield* Effect.all([older, rival], { concurrency: 2 })
          assert.deepStrictEqual(yield* store.sizes(key(round)), seen)
        }
      })
    )
  })
