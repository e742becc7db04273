import { assert, describe, it } from "@effect/vitest"
import { Execution } from "@fairlead/core/executions/Execution"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import * as Stores from "@fairlead/core/Stores"
import { Journal } from "@fairlead/core/sagas/Journal"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { StorageError } from "@fairlead/core/storage/StorageError"
import { IntegrityReader } from "@fairlead/core/verification/IntegrityReader"
import { verify } from "@fairlead/core/verification/verify"
import * as Faults from "@fairlead/testing/faults/Faults"
import { Effect, Layer, Schema } from "effect"
import { admin, alice, instance, lines, live, result, run, source, submit } from "../executions/support/MemoryHost.ts"
import { active, cancelled, records, retried } from "./support/histories.ts"

const Command = Schema.Literals([
  "out hello",
  "err oops",
  "hex 00ff",
  "fill 3000",
  "sleep 2",
  "exit 0",
  "exit 3",
  "kill SIGSEGV",
  "exceed memory",
  "hang",
  "stubborn"
])
const Run = Schema.Struct({
  commands: Schema.Array(Command).check(Schema.isMaxLength(6)),
  cancel: Schema.Boolean,
  delete: Schema.Boolean
})
const Runs = Schema.Array(Run).check(Schema.isMaxLength(4))

const play = Effect.fnUntraced(function* ({ cancel, commands, delete: remove }: typeof Run.Type) {
  const executions = yield* Executions
  const limits = { timeoutMillis: 100, outputBytes: 4_000 }
  const { executionId } = yield* submit(lines(commands.join("\n"), { limits }))
  if (cancel) yield* Effect.ignore(executions.cancel(alice, executionId, "enough", source))
  yield* result(executionId)
  if (remove) yield* Effect.ignore(executions.remove(admin, executionId, source))
})

describe("verify", () => {
  it.live.prop(
    "finds nothing in what the core itself wrote",
    [Runs],
    ([runs]) =>
      Effect.gen(function* () {
        yield* Effect.forEach(runs, play, { concurrency: 4, discard: true })
        const found = yield* records
        assert.deepStrictEqual(found.flatMap(verify), [])
        assert.deepStrictEqual(yield* (yield* IntegrityReader).violations, [])
      }).pipe(Effect.provide(instance(2))),
    { arbitrary: { runs: 30 }, timeout: 60_000 }
  )

  const lost = Faults.failAfter(new StorageError({ operation: "test", retryable: true, cause: "test" }))
  it.live.each([1, 2])("finds nothing when the answer to write %i was lost and another driver went on", (nth) => {
    const stores = Faults.layer(Journal, "append", nth, lost).pipe(Layer.provideMerge(Stores.layerMemory))
    const faulty = layerExecutions({ instanceName: "host-a", maxRunning: 2 }).pipe(
      Layer.provideMerge(MemoryScriptRuntime.layer()),
      Layer.provideMerge(Layer.mergeAll(stores, Secrets.layerMemory, ScriptRuntimes.layer))
    )
    return Effect.gen(function* () {
      yield* run(lines("out a\nsleep 5\nexit 3"))
      const [only] = yield* records
      assert.isDefined(only)
      // The last write is the end: nobody drives a saga that has ended.
      assert.strictEqual(only?.sagas[0]?.saga.fence, nth === 2 ? 1 : 2)
      assert.deepStrictEqual(verify(only ?? assert.fail()), [])
    }).pipe(Effect.provide(faulty))
  })

  live(
    "finds nothing in an execution that still runs, nor in one that was cancelled",
    Effect.gen(function* () {
      yield* Effect.andThen(cancelled, active)
      const found = yield* records
      assert.deepStrictEqual([found.length, ...found.flatMap(verify)], [2])
      assert.deepStrictEqual(yield* (yield* IntegrityReader).violations, [])
    })
  )

  live(
    "finds nothing in an execution of two attempts, and names what is wrong with the first of them",
    Effect.gen(function* () {
      const records = yield* retried
      assert.deepStrictEqual([records.sagas.length, ...verify(records)], [2])
      const { execution } = records
      if (execution === undefined) return assert.fail("no execution")
      const [first] = execution.earlierAttempts ?? []
      if (first === undefined) return assert.fail("no earlier attempt")
      const longer = { ...first, outcome: { ...first.outcome, stdoutBytes: 99 } }
      const damaged = (change: Partial<Execution>) =>
        verify({ ...records, execution: new Execution({ ...execution, ...change }) }).map(({ invariant }) => invariant)
      assert.deepStrictEqual(damaged({ earlierAttempts: [longer] }), ["output_size"])
      assert.deepStrictEqual(damaged({ earlierAttempts: [] }), ["execution_state", "event_story"])
      assert.deepStrictEqual(damaged({ earlierAttempts: [{ ...first, attempt: 2 }] }), [
        "execution_state",
        "event_story"
      ])
    })
  )
})
