/** What a runtime keeps of too much output, and in which order it was written. */
import { assert } from "@effect/vitest"
import { beginningOf, linesOf } from "@fairlead/core/runtime/OutputOrder"
import { Effect } from "effect"
import type { ContractScripts, Fact } from "../../fixtures/ContractScripts.ts"
import { contractJob, exited, observeAll, text } from "../../fixtures/JobFixtures.ts"

export const outputFacts = (fact: Fact, scripts: ContractScripts): void => {
  const { language } = scripts
  fact("keeps the first and the last bytes of too much output and counts those between", (runtime) =>
    Effect.gen(function* () {
      const lines = [scripts.print("head"), scripts.fill(300_000), scripts.print("tail"), scripts.printError("done")]
      const spec = contractJob(runtime, language, lines, { outputBytes: 100_000 })
      const { report, stderr, stdout } = yield* observeAll(runtime, yield* runtime.start(spec))
      assert.deepStrictEqual(report.end, exited(0))
      assert.deepStrictEqual(report.stdout, { writtenBytes: 300_010, keptBytes: 100_000, tailBytes: 50_000 })
      assert.strictEqual(text(stdout), `head\n${"x".repeat(49_995)}${"x".repeat(49_995)}tail\n`)
      assert.deepStrictEqual([text(stderr), report.stderr], ["done\n", { writtenBytes: 5, keptBytes: 5 }])
    })
  )

  fact("keeps all of an output that ends just at its limit", (runtime) =>
    Effect.gen(function* () {
      const lines = [scripts.fill(95), scripts.print("tail")]
      const spec = contractJob(runtime, language, lines, { outputBytes: 100 })
      const { report, stdout } = yield* observeAll(runtime, yield* runtime.start(spec))
      assert.deepStrictEqual(report.stdout, { writtenBytes: 100, keptBytes: 100 })
      assert.strictEqual(text(stdout), `${"x".repeat(95)}tail\n`)
    })
  )

  fact("tells in which order it was written, and when", (runtime) =>
    Effect.gen(function* () {
      const print = [
        scripts.print("one"),
        scripts.sleep(50),
        scripts.printError("two"),
        scripts.sleep(50),
        scripts.print("three")
      ]
      const lines = [...print, scripts.sleep(50), scripts.fill(200), scripts.sleep(50), scripts.printError("end")]
      const spec = contractJob(runtime, language, lines, { outputBytes: 60 })
      const { order, report, stderr, stdout } = yield* observeAll(runtime, yield* runtime.start(spec))
      const began = beginningOf(text(order)) ?? assert.fail("no beginning")
      const told = [...linesOf(text(order), began, 0)]
      const read = { stdout: text(stdout), stderr: text(stderr) }
      const pieces = told.map(({ length, output }) => {
        const piece = read[output].slice(0, length)
        read[output] = read[output].slice(length)
        return piece.startsWith("x") ? "x" : piece
      })
      assert.deepStrictEqual(pieces.join("").replace(/x+/, "x"), "one\ntwo\nthree\nxend\n")
      assert.deepStrictEqual([read, report.stdout.keptBytes], [{ stdout: "", stderr: "" }, 60])
      const times = told.map(({ at }) => at)
      assert.deepStrictEqual(
        times,
        times.toSorted((a, b) => a - b)
      )
      assert.isAtLeast((times.at(-1) ?? 0) - began, 190)
    })
  )
}
