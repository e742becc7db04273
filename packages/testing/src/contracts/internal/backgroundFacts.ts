/** What a runtime does with the processes that a script leaves in the background. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { ContractScripts, Fact } from "../../fixtures/ContractScripts.ts"
import { contractJob, exited, observeAll, readable, untilPrinted } from "../../fixtures/JobFixtures.ts"

export const backgroundFacts = (fact: Fact, scripts: ContractScripts): void => {
  const { language } = scripts
  const minute = 60_000

  fact("ends what a script has left in the background together with it", (runtime) =>
    Effect.gen(function* () {
      const lines = [scripts.later(minute, "late"), scripts.print("over"), scripts.exit(3)]
      const observed = yield* observeAll(runtime, yield* runtime.start(contractJob(runtime, language, lines)))
      assert.deepStrictEqual(readable(observed), { stdout: "over\n", stderr: "", end: exited(3) })
    })
  )

  fact("waits for what a script has left in the background if it is to, and ends as the script itself", (runtime) =>
    Effect.gen(function* () {
      const lines = [scripts.later(300, "one"), scripts.later(600, "two"), scripts.print("over"), scripts.exit(3)]
      const spec = { ...contractJob(runtime, language, lines), waitForBackground: true }
      const observed = yield* observeAll(runtime, yield* runtime.start(spec))
      assert.deepStrictEqual(readable(observed), { stdout: "over\none\ntwo\n", stderr: "", end: exited(3) })
      assert.isAtLeast(observed.report.usage?.executionTimeWallSeconds ?? 0, 0.599)
    })
  )

  fact("waits for nothing when a script has left nothing in the background", (runtime) =>
    Effect.gen(function* () {
      const lines = [scripts.print("over"), scripts.exit(0)]
      const spec = { ...contractJob(runtime, language, lines), waitForBackground: true }
      const observed = yield* observeAll(runtime, yield* runtime.start(spec))
      assert.deepStrictEqual(readable(observed), { stdout: "over\n", stderr: "", end: exited(0) })
    })
  )

  fact("ends what it waits for at the timeout, and when the job is stopped", (runtime) =>
    Effect.gen(function* () {
      const lines = [scripts.later(minute, "late"), scripts.print("over"), scripts.exit(0)]
      const start = (timeoutMillis: number) =>
        runtime.start({ ...contractJob(runtime, language, lines, { timeoutMillis }), waitForBackground: true })
      const late = readable(yield* observeAll(runtime, yield* start(700)))
      assert.deepStrictEqual(late, { stdout: "over\n", stderr: "", end: { _tag: "TimedOut" } })
      const handle = yield* start(20_000)
      yield* untilPrinted(runtime, handle)
      yield* runtime.stop(handle)
      const stopped = readable(yield* observeAll(runtime, handle))
      assert.deepStrictEqual(stopped, { stdout: "over\n", stderr: "", end: { _tag: "Stopped", forced: false } })
    })
  )
}
