import { assert, describe, it } from "@effect/vitest"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { OutputCollector } from "@fairlead/core/executions/OutputCollector"
import { jobIdOf } from "@fairlead/core/runtime/JobId"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import * as Stores from "@fairlead/core/Stores"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { createdSaga } from "@fairlead/testing/fixtures/SagaFixtures"
import { executionId, sagaId } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer, Redacted, Schema } from "effect"

const services = OutputCollector.layer.pipe(Layer.provideMerge(Stores.layerMemory))
const key = { executionId: executionId(1), attempt: 1 }
const handle = { runtime: "process", jobId: jobIdOf(executionId(1), 1), node: "elsewhere" } as const

const job = {
  jobId: handle.jobId,
  script: "out late",
  language: "lines",
  languageVersion: "1.0.0",
  args: [],
  env: Redacted.make({}),
  limits: {
    timeoutMillis: 10_000,
    memoryBytes: 1024 ** 3,
    cpuMillis: 10_000,
    processes: 8,
    diskBytes: 1024 ** 2,
    fileSizeBytes: 1024,
    openFiles: 8,
    outputBytes: 1024
  }
}

describe("OutputCollector.collect", () => {
  it.effect("counts what was stored before the runtime lost the job", () =>
    Effect.gen(function* () {
      const sagas = yield* SagaStore
      yield* sagas.insert(createdSaga(1))
      yield* sagas.claim(sagaId(1), 1, "host-a")
      const fence = { sagaId: sagaId(1), fence: 1 }
      const bytes = new Uint8Array([104, 105])
      yield* (yield* ExecutionOutputStore).append(key, fence, [{ output: "stdout", offset: 0, bytes }])
      const runtime = yield* (yield* MemoryScriptRuntime.makeNode()).instance
      const report = yield* (yield* OutputCollector).collect(runtime, handle, key, fence)
      assert.deepInclude(report, { stdout: { writtenBytes: 2, keptBytes: 2 } })
      assert.strictEqual(report.end._tag, "Lost")
    }).pipe(Effect.provide(services))
  )

  it.effect("stops when another driver holds the saga", () =>
    Effect.gen(function* () {
      const sagas = yield* SagaStore
      yield* sagas.insert(createdSaga(1))
      yield* sagas.claim(sagaId(1), 1, "host-a")
      yield* sagas.claim(sagaId(1), 1, "host-b")
      const runtime = yield* (yield* MemoryScriptRuntime.makeNode()).instance
      const started = yield* runtime.start(job)
      const stale = { sagaId: sagaId(1), fence: 1 }
      const stopped = yield* Effect.flip((yield* OutputCollector).collect(runtime, started, key, stale))
      assert.strictEqual(stopped._tag, "SagaFenced")
      assert.deepStrictEqual(yield* (yield* ExecutionOutputStore).sizes(key), { stdout: 0, stderr: 0 })
    }).pipe(Effect.provide(services))
  )
})

describe("OutputCollector.previews", () => {
  /** One that has stored nothing itself. */
  const another = Effect.provide(OutputCollector, Layer.fresh(OutputCollector.layer))
  const Prints = Schema.Array(
    Schema.Struct({
      output: Schema.Literals(["stdout", "stderr"]),
      bytes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12_000 }))
    })
  ).check(Schema.isMaxLength(6))

  it.effect.prop("are the same from memory, right after the job, and from the store", [Prints], ([prints]) =>
    Effect.gen(function* () {
      const sagas = yield* SagaStore
      yield* sagas.insert(createdSaga(1))
      yield* sagas.claim(sagaId(1), 1, "host-a")
      const runtime = yield* (yield* MemoryScriptRuntime.makeNode()).instance
      const script = prints
        .map(({ bytes, output }, i) => `${output === "stdout" ? "out" : "err"} ${String(i).repeat(bytes)}`)
        .join("\n")
      const started = yield* runtime.start({ ...job, script, limits: { ...job.limits, outputBytes: 100_000 } })
      const collector = yield* OutputCollector
      const report = yield* collector.collect(runtime, started, key, { sagaId: sagaId(1), fence: 1 }, true)
      const sizes = { stdoutBytes: report.stdout.keptBytes, stderrBytes: report.stderr.keptBytes }
      const fromMemory = yield* collector.previews(key, sizes)
      const fromStore = yield* (yield* another).previews(key, sizes)
      assert.deepStrictEqual(fromMemory, fromStore)
      assert.strictEqual(fromMemory.stdout.length, Math.min(16_384, sizes.stdoutBytes))
      const whole = collector.remembered(key, "stdout", sizes.stdoutBytes)
      if (sizes.stdoutBytes > 16_384) return assert.isUndefined(whole)
      const stored = yield* (yield* ExecutionOutputStore).read(key, "stdout", 0, 16_384)
      assert.deepStrictEqual([...(whole ?? [])], [...stored])
    }).pipe(Effect.provide(services))
  )
})
