import { assert, describe, it } from "@effect/vitest"
import { JobReport } from "@fairlead/core/runtime/Job"
import { Option, Schema } from "effect"
import { decodeExitRecord, type ExitRecord, reportOf } from "../src/internal/exitRecord.ts"

const rest = {
  wallMicros: 1_500_000,
  cpuTicks: 12,
  tickHertz: 100,
  peakKb: 9_000,
  stdoutWritten: 10,
  stdoutKept: 4,
  stderrWritten: 0,
  stderrKept: 0
}
const endOf = (record: ExitRecord, lastWords = "") => reportOf(record, lastWords).end

describe("reportOf", () => {
  it("passes on usage and totals", () => {
    const report = reportOf({ end: "exited", code: 0, ...rest }, "")
    assert.deepInclude(report, {
      stdout: { writtenBytes: 10, keptBytes: 4 },
      stderr: { writtenBytes: 0, keptBytes: 0 }
    })
    assert.deepInclude(report.usage, {
      executionTimeWallSeconds: 1.5,
      cpuTimeJiffies: 12,
      clkTckHertz: 100,
      peakMemoryKb: 9_000
    })
    assert.isTrue(Schema.is(JobReport)(report))
  })

  it("suspects a limit only of a script that failed with the words for it", () => {
    assert.deepStrictEqual(endOf({ end: "exited", code: 1, ...rest }, "Traceback …\nMemoryError\n"), {
      _tag: "LimitExceeded",
      limit: "memory",
      exitCode: 1,
      suspected: true
    })
    assert.deepStrictEqual(endOf({ end: "exited", code: 0, ...rest }, "MemoryError"), { _tag: "Exited", exitCode: 0 })
    assert.deepStrictEqual(endOf({ end: "exited", code: 1, ...rest }, "no such file"), { _tag: "Exited", exitCode: 1 })
  })

  it("names the limit of which a script speaks that was seen at it, and no other", () => {
    const end = (reached: string) =>
      endOf({ end: "exited", code: 1, reached, ...rest }, "OSError: [Errno 24] Too many open files")
    const limit = { _tag: "LimitExceeded", limit: "open_files", exitCode: 1 } as const
    assert.deepStrictEqual(end("file_size open_files"), { ...limit, suspected: false })
    assert.deepStrictEqual(end("processes"), { ...limit, suspected: true })
    assert.deepStrictEqual(end(""), { ...limit, suspected: true })
    assert.deepStrictEqual(endOf({ end: "exited", code: 1, reached: "open_files", ...rest }), {
      _tag: "Exited",
      exitCode: 1
    })
  })

  it("names signals, and the limits that speak through a signal", () => {
    assert.deepStrictEqual(endOf({ end: "signalled", signal: 6, ...rest }), { _tag: "Signalled", signal: "SIGABRT" })
    assert.deepInclude(endOf({ end: "signalled", signal: 6, ...rest }, "JavaScript heap out of memory"), {
      _tag: "LimitExceeded",
      limit: "memory"
    })
    assert.deepInclude(endOf({ end: "signalled", signal: 24, ...rest }), { limit: "cpu", suspected: false })
    assert.deepInclude(endOf({ end: "signalled", signal: 25, ...rest }), { limit: "file_size", suspected: false })
  })
})

describe("decodeExitRecord", () => {
  it("reads what the shim writes, blanks and all, and nothing less", () => {
    const text = `${JSON.stringify({ end: "signalled", signal: 9, ...rest })}${" ".repeat(100)}`
    assert.deepStrictEqual(Option.getOrUndefined(decodeExitRecord(text)), { end: "signalled", signal: 9, ...rest })
    assert.isTrue(Option.isNone(decodeExitRecord("")))
    assert.isTrue(Option.isNone(decodeExitRecord(`{"end":"exited"}`)))
  })
})
