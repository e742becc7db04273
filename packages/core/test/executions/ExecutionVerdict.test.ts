import { assert, describe, it } from "@effect/vitest"
import { verdictOf, verdictOnStopped, verdictWithoutJob } from "@fairlead/core/executions/ExecutionVerdict"
import { type JobEnd, JobReport } from "@fairlead/core/runtime/Job"
import { CompensationCause } from "@fairlead/core/sagas/SagaEntry"
import { Schema } from "effect"

const report = (end: JobEnd): JobReport => ({
  end,
  stdout: { writtenBytes: 10, keptBytes: 4 },
  stderr: { writtenBytes: 0, keptBytes: 0 }
})

describe("verdictOf", () => {
  it.each<[JobEnd, string, string | undefined, string | undefined]>([
    [{ _tag: "Exited", exitCode: 0 }, "completed", undefined, undefined],
    [{ _tag: "Exited", exitCode: 3 }, "failed", "script_error", "exit:3"],
    [{ _tag: "Signalled", signal: "SIGSEGV" }, "failed", "script_error", "signal:SIGSEGV"],
    [{ _tag: "TimedOut" }, "timeout", "timeout", "timeout"],
    [{ _tag: "Stopped", forced: true }, "cancelled", undefined, "cancelled"],
    [{ _tag: "LimitExceeded", limit: "memory", exitCode: 137, suspected: false }, "failed", "resource_limit", "memory"],
    [
      { _tag: "LimitExceeded", limit: "memory", exitCode: 1, suspected: true },
      "failed",
      "resource_limit",
      "memory:suspected"
    ],
    [{ _tag: "Lost", detail: "gone" }, "error", "system_error", "lost"]
  ])("reads %o as %s", (end, status, errorType, errorCause) => {
    const verdict = verdictOf(report(end))
    assert.deepStrictEqual(
      [verdict.status, verdict.outcome.errorType, verdict.outcome.errorCause],
      [status, errorType, errorCause]
    )
  })

  it.prop("reports what was kept, and whether more was written", [JobReport], ([job]) => {
    const { outcome } = verdictOf(job)
    assert.deepStrictEqual([outcome.stdoutBytes, outcome.stderrBytes], [job.stdout.keptBytes, job.stderr.keptBytes])
    const cut = job.stdout.writtenBytes > job.stdout.keptBytes || job.stderr.writtenBytes > job.stderr.keptBytes
    assert.strictEqual(outcome.truncated, cut)
  })
})

describe("verdictOnStopped", () => {
  it.prop(
    "keeps the truth of a job that had ended by itself",
    [JobReport, CompensationCause, Schema.NonEmptyString],
    ([job, cause, reason]) => {
      if (job.end._tag === "Stopped" || job.end._tag === "Lost") return
      assert.deepStrictEqual(verdictOnStopped(job, cause, reason), verdictOf(job))
    }
  )

  it.prop(
    "ends as its cause says when the job did not end by itself, with the output of the job",
    [JobReport, CompensationCause, Schema.NonEmptyString],
    ([job, cause, reason]) => {
      if (job.end._tag !== "Stopped" && job.end._tag !== "Lost") return
      const verdict = verdictOnStopped(job, cause, reason)
      assert.strictEqual(verdict.status, verdictWithoutJob(cause, reason).status)
      assert.deepInclude(verdict.outcome, { errorMessage: reason, stdoutBytes: job.stdout.keptBytes })
    }
  )
})
