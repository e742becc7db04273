/** What every `ScriptRuntime` owes its callers. Jobs are real, so the suite runs on the real clock and waits for conditions, not for times. */

import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Option, Redacted, type Scope, Stream } from "effect"
import type { ContractNode, ContractScripts, Fact } from "../fixtures/ContractScripts.ts"
import { contractJob, exited, fromStart, observeAll, readable, text, untilPrinted } from "../fixtures/JobFixtures.ts"
import { backgroundFacts } from "./internal/backgroundFacts.ts"
import { outputFacts } from "./internal/outputFacts.ts"

export const suite = (
  name: string,
  makeNode: Effect.Effect<ContractNode, unknown, Scope.Scope>,
  scripts: ContractScripts
): void => {
  const { language } = scripts
  /** A test on one machine that has one instance; `node.instance` adds instances. */
  const fact: Fact = (statement, test) =>
    it.live(statement, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const node = yield* makeNode
          yield* test(yield* node.instance, node)
        })
      )
    )

  describe(`ScriptRuntime of ${name}`, () => {
    fact("reports both streams, byte for byte, and the exit code", (runtime) =>
      Effect.gen(function* () {
        const bytes = "00ff80c3280d0a1b5b33316d"
        const lines = [scripts.printBytes(bytes), scripts.printError("wörter"), scripts.exit(3)]
        const handle = yield* runtime.start(contractJob(runtime, language, lines))
        const observed = yield* observeAll(runtime, handle)
        assert.strictEqual(Buffer.from(observed.stdout).toString("hex"), bytes)
        assert.strictEqual(text(observed.stderr), "wörter\n")
        assert.deepStrictEqual(observed.report.end, exited(3))
        assert.deepStrictEqual(observed.report.stdout, { writtenBytes: 12, keptBytes: 12 })
      })
    )

    fact("gives arguments and environment to the script", (runtime) =>
      Effect.gen(function* () {
        const spec = contractJob(runtime, language, [scripts.printArgs, scripts.printEnv("GREETING")])
        const args = ["a b", "", "--c=$HOME", "ü"]
        const env = Redacted.make({ GREETING: "hello = world" })
        const observed = yield* observeAll(runtime, yield* runtime.start({ ...spec, args, env }))
        assert.strictEqual(text(observed.stdout), "a b\n\n--c=$HOME\nü\nhello = world\n")
      })
    )

    fact("measures what the job used", (runtime) =>
      Effect.gen(function* () {
        const handle = yield* runtime.start(contractJob(runtime, language, [scripts.sleep(100)]))
        const { report } = yield* observeAll(runtime, handle)
        assert.isAtLeast(report.usage?.executionTimeWallSeconds ?? 0, 0.099)
        assert.isAbove(report.usage?.clkTckHertz ?? 0, 0)
      })
    )

    fact("starts a job once, however often and from whichever host it is asked", (runtime, node) =>
      Effect.gen(function* () {
        const other = yield* node.instance
        const spec = contractJob(runtime, language, [scripts.print("once")])
        const handles = yield* Effect.all(
          [runtime, other, runtime, other].map((each) => each.start(spec)),
          { concurrency: 4 }
        )
        for (const handle of handles) assert.deepStrictEqual(handle, handles[0])
        const observed = yield* observeAll(other, yield* runtime.start(spec))
        assert.strictEqual(text(observed.stdout), "once\n")
        assert.deepStrictEqual(yield* other.start(spec), handles[0])
        assert.deepStrictEqual(yield* observeAll(runtime, yield* other.start(spec)), observed)
      })
    )

    fact("resumes at every byte offset", (runtime) =>
      Effect.gen(function* () {
        const lines = [scripts.print("äöü€"), scripts.printError("12")]
        const handle = yield* runtime.start(contractJob(runtime, language, lines))
        const whole = yield* observeAll(runtime, handle)
        assert.strictEqual(whole.stdout.length, 10)
        for (let at = 0; at <= 10; at++) {
          const rest = yield* observeAll(runtime, handle, { stdout: at, stderr: Math.min(at, 3) })
          assert.deepStrictEqual(rest.stdout, whole.stdout.subarray(at))
          assert.deepStrictEqual(rest.stderr, whole.stderr.subarray(at))
          assert.deepStrictEqual(rest.report, whole.report)
        }
      })
    )

    fact("shows output while the script runs, to a hundred observers alike", (runtime) =>
      Effect.gen(function* () {
        const lines = [scripts.print("first"), scripts.hang]
        const handle = yield* runtime.start(contractJob(runtime, language, lines))
        const observers = yield* Effect.forEach(Array.from({ length: 100 }), () =>
          Effect.forkScoped(observeAll(runtime, handle))
        )
        const head = yield* untilPrinted(runtime, handle)
        assert.isTrue(Option.isSome(head))
        yield* runtime.stop(handle)
        for (const observer of observers) {
          const seen = readable(yield* Fiber.join(observer))
          assert.deepStrictEqual(seen, { stdout: "first\n", stderr: "", end: { _tag: "Stopped", forced: false } })
        }
      })
    )

    fact("goes on when nobody watches any more", (runtime) =>
      Effect.gen(function* () {
        const lines = [scripts.print("one"), scripts.sleep(300), scripts.print("two")]
        const handle = yield* runtime.start(contractJob(runtime, language, lines))
        const first = yield* Deferred.make<void>()
        const watcher = yield* Effect.forkScoped(
          Stream.runForEach(runtime.observe(handle, fromStart), () => Deferred.succeed(first, undefined))
        )
        yield* Deferred.await(first)
        yield* Fiber.interrupt(watcher)
        const seen = readable(yield* observeAll(runtime, handle))
        assert.deepStrictEqual(seen, { stdout: "one\ntwo\n", stderr: "", end: exited(0) })
      })
    )

    fact("kills a script that ignores being stopped, after a second at most", (runtime) =>
      Effect.gen(function* () {
        const lines = [scripts.stubborn, scripts.print("ready"), scripts.hang]
        const handle = yield* runtime.start(contractJob(runtime, language, lines))
        yield* untilPrinted(runtime, handle)
        yield* runtime.stop(handle)
        const [duration, { report }] = yield* Effect.timed(observeAll(runtime, handle))
        assert.deepStrictEqual(report.end, { _tag: "Stopped", forced: true })
        assert.isBelow(Duration.toMillis(duration), 2_000, "milliseconds from stop to end")
      })
    )

    fact("changes nothing by stopping an ended or an unknown job", (runtime) =>
      Effect.gen(function* () {
        const handle = yield* runtime.start(contractJob(runtime, language, [scripts.exit(7)]))
        const before = yield* observeAll(runtime, handle)
        yield* runtime.stop(handle)
        assert.deepStrictEqual(yield* observeAll(runtime, handle), before)
        const { jobId } = contractJob(runtime, language, [])
        yield* runtime.stop({ ...handle, jobId })
        assert.isTrue(Option.isNone(yield* runtime.inspect(jobId)))
      })
    )

    fact("asks a job to end at its timeout, and keeps what it prints then", (runtime) =>
      Effect.gen(function* () {
        const lines = [scripts.partWith("cleaned up"), scripts.print("late"), scripts.hang]
        const spec = contractJob(runtime, language, lines, { timeoutMillis: 700 })
        const { end, stdout } = readable(yield* observeAll(runtime, yield* runtime.start(spec)))
        // A shell may remark on stderr what was ended under it.
        assert.deepStrictEqual({ stdout, end }, { stdout: "late\ncleaned up\n", end: { _tag: "TimedOut" } })
      })
    )

    fact("kills a job at its timeout that ignores being asked, and keeps what it printed", (runtime) =>
      Effect.gen(function* () {
        const lines = [scripts.stubborn, scripts.print("late"), scripts.hang]
        const spec = contractJob(runtime, language, lines, { timeoutMillis: 700 })
        const [duration, observed] = yield* Effect.timed(
          Effect.flatMap(runtime.start(spec), (handle) => observeAll(runtime, handle))
        )
        assert.deepStrictEqual(readable(observed), { stdout: "late\n", stderr: "", end: { _tag: "TimedOut" } })
        assert.isBelow(Duration.toMillis(duration), 2_200, "milliseconds")
      })
    )

    outputFacts(fact, scripts)
    backgroundFacts(fact, scripts)

    fact("tells what became of a job, and lists it", (runtime, node) =>
      Effect.gen(function* () {
        const spec = contractJob(runtime, language, [scripts.print("up"), scripts.hang])
        assert.isTrue(Option.isNone(yield* runtime.inspect(spec.jobId)))
        const handle = yield* runtime.start(spec)
        yield* untilPrinted(runtime, handle)
        const other = yield* node.instance
        assert.deepStrictEqual(yield* other.inspect(spec.jobId), Option.some({ handle, state: "running" }))
        assert.deepStrictEqual(yield* other.list, [{ handle, state: "running" }])
        yield* other.stop(handle)
        yield* observeAll(runtime, handle)
        assert.deepStrictEqual(yield* runtime.inspect(spec.jobId), Option.some({ handle, state: "ended" }))
        assert.deepStrictEqual(yield* runtime.list, [{ handle, state: "ended" }])
      })
    )

    fact("removes an ended job for good", (runtime, node) =>
      Effect.gen(function* () {
        const other = yield* node.instance
        const spec = contractJob(runtime, language, [scripts.print("gone")])
        const handle = yield* runtime.start(spec)
        yield* observeAll(runtime, handle)
        yield* runtime.remove(handle)
        yield* other.remove(handle)
        assert.isTrue(Option.isNone(yield* other.inspect(spec.jobId)))
        assert.deepStrictEqual(yield* runtime.list, [])
        assert.strictEqual((yield* Effect.flip(other.start(spec)))._tag, "JobRemoved")
        assert.strictEqual((yield* observeAll(runtime, handle)).report.end._tag, "Lost")
      })
    )

    fact("refuses to remove a running job, for the time being", (runtime) =>
      Effect.gen(function* () {
        const handle = yield* runtime.start(contractJob(runtime, language, [scripts.print("up"), scripts.hang]))
        yield* untilPrinted(runtime, handle)
        const error = yield* Effect.flip(runtime.remove(handle))
        assert.deepInclude(error, { _tag: "RuntimeError", phase: "remove", retryable: true })
        yield* runtime.stop(handle)
        assert.strictEqual(text((yield* observeAll(runtime, handle)).stdout), "up\n")
        yield* runtime.remove(handle)
      })
    )

    fact("refuses for good a version that it does not have", (runtime) =>
      Effect.gen(function* () {
        const spec = { ...contractJob(runtime, language, []), languageVersion: "0.0.0-none" }
        const error = yield* Effect.flip(runtime.start(spec))
        assert.deepInclude(error, { _tag: "RuntimeError", phase: "start", retryable: false })
        assert.isTrue(Option.isNone(yield* runtime.inspect(spec.jobId)))
      })
    )
  })
}
