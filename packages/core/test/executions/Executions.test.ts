import { assert, describe, it } from "@effect/vitest"
import { AdmissionPolicy } from "@fairlead/core/executions/AdmissionPolicy"
import { ExecutionFeed } from "@fairlead/core/executions/ExecutionFeed"
import { defaultLimitPolicy } from "@fairlead/core/executions/ExecutionLimits"
import { Executions } from "@fairlead/core/executions/Executions"
import { InstanceUrl } from "@fairlead/core/executions/ScriptVariables"
import { executionSubject } from "@fairlead/core/ids/Subject"
import { defaultQueueBounds } from "@fairlead/core/queue/QueueBounds"
import { Sagas } from "@fairlead/core/sagas/Sagas"
import { DateTime, Effect, Redacted } from "effect"
import {
  admin,
  alice,
  bob,
  instance,
  lines,
  live,
  result,
  run,
  running,
  source,
  submit,
  tagsOf
} from "./support/MemoryHost.ts"

describe("Executions.submit", () => {
  live(
    "runs a script to its end and tells every step of it",
    Effect.gen(function* () {
      const { execution, stderr, stdout } = yield* run(lines("out hello\nerr oops\nexit 0"))
      assert.deepStrictEqual(
        [execution.status, stdout, stderr, execution.attempt],
        ["completed", "hello\n", "oops\n", 1]
      )
      assert.deepInclude(execution.outcome, { exitCode: 0, stdoutBytes: 6, stderrBytes: 5, truncated: false })
      assert.deepStrictEqual(yield* tagsOf(execution.executionId), [
        "ExecutionRequested",
        "ExecutionAccepted",
        "ExecutionQueued",
        "SagaStarted",
        "ExecutionStarted",
        "ExecutionRunning",
        "ExecutionCompleted",
        "ResultStored",
        "SagaCompleted"
      ])
    })
  )

  live(
    "reports how a script failed",
    Effect.gen(function* () {
      const failed = yield* run(lines("exit 3"))
      assert.deepInclude(failed.execution.outcome, { exitCode: 3, errorType: "script_error", errorCause: "exit:3" })
      const killed = yield* run(lines("exceed memory"))
      assert.deepInclude(killed.execution.outcome, { errorType: "resource_limit", errorCause: "memory" })
      assert.deepStrictEqual([failed.execution.status, killed.execution.status], ["failed", "failed"])
    })
  )

  live(
    "waits for what a script leaves in the background if it is asked to, also when that is run again",
    Effect.gen(function* () {
      const left = yield* run(lines("later 20 late\nexit 3"))
      assert.deepStrictEqual([left.execution.outcome?.exitCode, left.stdout], [3, ""])
      const awaited = yield* run(lines("later 20 late\nexit 3", { waitForBackground: true }))
      assert.deepStrictEqual([awaited.execution.outcome?.exitCode, awaited.stdout], [3, "late\n"])
      const again = yield* (yield* Executions).retry(alice, awaited.execution.executionId, source)
      assert.isTrue(again.waitForBackground)
    })
  )

  it.live("tells the script which execution and attempt it is, and where, whatever its environment says", () =>
    Effect.gen(function* () {
      const names = ["FAIRLEAD_EXECUTION_ID", "FAIRLEAD_ATTEMPT", "FAIRLEAD_NODE", "FAIRLEAD_URL"]
      const env = Redacted.make({ FAIRLEAD_ATTEMPT: "9" })
      const { execution, stdout } = yield* run(lines(names.map((name) => `env ${name}`).join("\n"), { env }))
      const node = execution.nodeId?.split("/")[1]
      assert.strictEqual(stdout, [execution.executionId, "1", node, "https://api.example", ""].join("\n"))
    }).pipe(Effect.provide(instance()), Effect.provideService(InstanceUrl, "https://api.example"))
  )

  live(
    "gives the script its arguments and its environment, and stores the latter sealed",
    Effect.gen(function* () {
      const env = Redacted.make({ TOKEN: "s3cret" })
      const { execution, stdout } = yield* run(lines("env TOKEN\nargs", { env, args: ["a", "b c"] }))
      assert.include(stdout, "s3cret")
      assert.include(stdout, "b c")
      assert.notInclude(JSON.stringify(execution), "s3cret")
    })
  )

  live(
    "shows what a script has written while it runs, and nothing before it has begun",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("out so far\nerr oops\nhang"))
      const executions = yield* Executions
      const written = yield* executions
        .result(alice, executionId, 0)
        .pipe(Effect.repeat({ until: ({ stderr }) => stderr !== null && stderr !== "" }))
      assert.deepInclude(written, { stdout: "so far\n", stderr: "oops\n" })
      assert.strictEqual(written.execution.status, "running")
      const [listed] = (yield* executions.list(alice, { scope: "own", limit: 1, offset: 0 })).results
      assert.deepInclude(listed, { stdout: "so far\n", stderr: "oops\n" })
      const later = yield* submit(lines("", { runAt: DateTime.add(yield* DateTime.now, { hours: 1 }) }))
      assert.deepInclude(yield* executions.result(alice, later.executionId, 0), { stdout: null, stderr: null })
    })
  )

  live(
    "ends a script that outlives its timeout",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("out before\nhang", { limits: { timeoutMillis: 100 } }))
      assert.deepStrictEqual([execution.status, execution.outcome?.errorType], ["timeout", "timeout"])
    })
  )

  live(
    "refuses what the host cannot do or does not grant",
    Effect.gen(function* () {
      const unknown = yield* Effect.flip(submit(lines("", { lang: "cobol" })))
      assert.strictEqual(unknown._tag, "LanguageUnsupported")
      const greedy = yield* Effect.flip(submit(lines("", { limits: { timeoutMillis: 7_200_000 } })))
      assert.deepInclude(greedy, {
        _tag: "LimitTooHigh",
        limits: [{ limit: "timeoutMillis", requested: 7_200_000, maximum: 3_600_000 }]
      })
    })
  )

  it.live("refuses more active executions than a user may have, and takes the next once one ends", () =>
    Effect.gen(function* () {
      const first = yield* submit(lines("hang"))
      const refused = yield* Effect.flip(submit(lines("hang")))
      assert.deepInclude(refused, { _tag: "QueueFull", scope: "user", maximum: 1 })
      yield* submit(lines("exit 0"), bob)
      yield* (yield* Executions).cancel(alice, first.executionId, undefined, source)
      yield* result(first.executionId)
      yield* submit(lines("exit 0"))
    }).pipe(
      Effect.provide(instance()),
      Effect.provideService(AdmissionPolicy, {
        limits: defaultLimitPolicy,
        bounds: { ...defaultQueueBounds, maxActivePerUser: 1 },
        maxStoredOutputBytesPerUser: 0
      })
    )
  )

  live(
    "answers the same key and request with the first execution, and refuses the key for another",
    Effect.gen(function* () {
      const keyed = lines("out once", { idempotencyKey: "k" })
      const [a, b] = yield* Effect.all([submit(keyed), submit(keyed)], { concurrency: 2 })
      assert.strictEqual(a.executionId, b.executionId)
      const other = yield* Effect.flip(submit({ ...keyed, script: "out twice" }))
      assert.deepInclude(other, { _tag: "IdempotencyKeyReused", executionId: a.executionId })
      assert.notStrictEqual((yield* submit(keyed, bob)).executionId, a.executionId)
      assert.strictEqual((yield* (yield* Executions).list(alice, { scope: "own", limit: 10, offset: 0 })).total, 1)
    })
  )

  live(
    "lets as many run as there are slots, the urgent before the others",
    Effect.gen(function* () {
      const first = yield* submit(lines("hang"))
      yield* running(first.executionId)
      const [normal, urgent] = [yield* submit(lines("exit 0")), yield* submit(lines("exit 0", { priority: 0 }))]
      yield* Effect.repeat(Effect.delay(tagsOf(urgent.executionId), "5 millis"), { until: (tags) => tags.length >= 3 })
      yield* Effect.sleep("50 millis")
      yield* (yield* Executions).cancel(alice, first.executionId, undefined, source)
      const [a, b] = [yield* result(normal.executionId), yield* result(urgent.executionId)]
      assert.isTrue((a.execution.startedAt?.epochMilliseconds ?? 0) >= (b.execution.startedAt?.epochMilliseconds ?? 1))
    }),
    1
  )
})

describe("Executions.cancel", () => {
  live(
    "ends a running script, undoes the saga, and says who asked",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("out started\nhang"))
      yield* running(executionId)
      const executions = yield* Executions
      const { requested } = yield* executions.cancel(alice, executionId, "enough", source)
      const { execution, stdout } = yield* result(executionId)
      assert.deepStrictEqual([requested, execution.status, stdout], [true, "cancelled", "started\n"])
      const subject = executionSubject(executionId)
      const { sagas } = yield* (yield* Sagas).list(alice, { subject, limit: 1, offset: 0 })
      assert.deepStrictEqual(
        [sagas[0]?.state, sagas[0]?.compensatedSteps, sagas[0]?.cancelRequest?.by],
        ["cancelled", ["start_job", "queue_execution"], "user-1"]
      )
      assert.includeMembers(yield* tagsOf(executionId), ["ExecutionCancelled", "ResultStored", "SagaCancelled"])
      assert.isFalse((yield* executions.cancel(alice, executionId, undefined, source)).requested)
    })
  )

  live(
    "leaves its own end to a script that was faster",
    Effect.gen(function* () {
      for (const [code, status] of [
        [0, "completed"],
        [3, "failed"]
      ] as const) {
        const { executionId } = yield* submit(lines(`out done\novertake ${code}\nhang`))
        yield* running(executionId)
        yield* (yield* Executions).cancel(alice, executionId, undefined, source)
        const { execution, stdout } = yield* result(executionId)
        assert.deepStrictEqual([execution.status, execution.outcome?.exitCode, stdout], [status, code, "done\n"])
        assert.notInclude(yield* tagsOf(executionId), "ExecutionCancelled")
        const again = yield* Effect.flip((yield* Executions).cancel(alice, executionId, undefined, source))
        assert.deepInclude(again, { _tag: "ExecutionEnded", executionStatus: status })
      }
    })
  )

  live(
    "ends one that waits for a slot, without starting it",
    Effect.gen(function* () {
      const first = yield* submit(lines("hang"))
      yield* running(first.executionId)
      const { executionId } = yield* submit(lines("out never"))
      yield* (yield* Executions).cancel(alice, executionId, undefined, source)
      const { execution } = yield* result(executionId)
      assert.deepStrictEqual([execution.status, execution.attempt], ["cancelled", 0])
      yield* (yield* Executions).cancel(alice, first.executionId, undefined, source)
    }),
    1
  )

  live(
    "is refused once the execution has ended in another way",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("exit 0"))
      const refused = yield* Effect.flip((yield* Executions).cancel(alice, execution.executionId, undefined, source))
      assert.deepInclude(refused, { _tag: "ExecutionEnded", executionStatus: "completed" })
    })
  )
})

describe("Executions", () => {
  live(
    "shows nobody the executions of others, and an administrator all",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("out mine"))
      const [executions, id] = [yield* Executions, execution.executionId]
      const range = { output: "stdout", offset: 0, limit: 10 } as const
      const refused = yield* Effect.all([
        Effect.flip(executions.get(bob, id)),
        Effect.flip(executions.result(bob, id, 0)),
        Effect.flip(executions.cancel(bob, id, undefined, source)),
        Effect.flip(executions.retry(bob, id, source)),
        Effect.flip(executions.remove(bob, id, source)),
        Effect.flip(executions.output(bob, id, range)),
        Effect.flip((yield* ExecutionFeed).follow(bob, id, undefined))
      ])
      assert.deepStrictEqual(new Set(refused.map(({ _tag }) => _tag)), new Set(["ExecutionNotFound"]))
      assert.strictEqual((yield* executions.list(bob, { scope: "visible", limit: 10, offset: 0 })).total, 0)
      assert.strictEqual((yield* executions.get(admin, id)).executionId, id)
    })
  )

  live(
    "retries as a new execution that names its source",
    Effect.gen(function* () {
      const env = Redacted.make({ NAME: "kept" })
      const { execution } = yield* run(lines("env NAME\nexit 1", { env }))
      const again = yield* (yield* Executions).retry(alice, execution.executionId, source)
      const second = yield* result(again.executionId)
      assert.strictEqual(again.retryOf, execution.executionId)
      assert.deepStrictEqual([second.execution.status, second.stdout], ["failed", "kept\n"])
    })
  )

  live(
    "removes an execution that runs: it is cancelled first",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("hang"))
      yield* running(executionId)
      const executions = yield* Executions
      yield* executions.remove(admin, executionId, source)
      assert.strictEqual((yield* Effect.flip(executions.get(admin, executionId)))._tag, "ExecutionNotFound")
      assert.strictEqual((yield* tagsOf(executionId)).at(-1), "ExecutionDeleted")
    })
  )

  live(
    "serves output as ranges of bytes",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("hex 00ff80\nout x"))
      const part = { output: "stdout", offset: 1, limit: 3 } as const
      const range = yield* (yield* Executions).output(alice, execution.executionId, part)
      assert.deepStrictEqual([[...range.bytes], range.size, range.ended], [[0xff, 0x80, 0x78], 5, true])
    })
  )
})
