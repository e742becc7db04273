/** What a runtime's report means for an execution. Pure. */

import type { ExecutionErrorType } from "../events/ExecutionErrorType.ts"
import type { JobEnd, JobReport, OutputTotals } from "../runtime/Job.ts"
import type { CompensationCause } from "../sagas/SagaEntry.ts"
import { type ExecutionOutcome, noOutput, type Omission } from "./Execution.ts"
import type { TerminalStatus } from "./ExecutionStatus.ts"

export interface ExecutionVerdict {
  readonly status: TerminalStatus
  readonly outcome: ExecutionOutcome
  /** True when the script was asked to end and had to be killed. */
  readonly forced: boolean
}

/** The verdict on a job that ended by itself or by its limits. */
export const verdictOf = (report: JobReport): ExecutionVerdict => {
  const { status, ...why } = judge(report.end)
  return { status, outcome: { ...outputOf(report), ...why }, forced: forcedOf(report) }
}

/** The verdict on a job that its saga stopped because it turned back. One that had ended by itself keeps its own end. */
export const verdictOnStopped = (report: JobReport, cause: CompensationCause, reason: string): ExecutionVerdict => {
  if (report.end._tag !== "Stopped" && report.end._tag !== "Lost") return verdictOf(report)
  const { outcome: why, status } = verdictWithoutJob(cause, reason)
  return { status, outcome: { ...why, ...outputOf(report) }, forced: forcedOf(report) }
}

/** The verdict on an execution whose saga turned back before it had a job. */
export const verdictWithoutJob = (cause: CompensationCause, reason: string): ExecutionVerdict => {
  const ended = (status: TerminalStatus, errorType?: ExecutionErrorType): ExecutionVerdict => ({
    status,
    outcome: {
      ...noOutput,
      errorCause: cause,
      errorMessage: reason,
      ...(errorType === undefined ? {} : { errorType })
    },
    forced: false
  })
  switch (cause) {
    case "cancelled":
      return ended("cancelled")
    case "timeout":
      return ended("timeout", "timeout")
    case "failed":
      return ended("error", "system_error")
  }
}

const forcedOf = ({ end }: JobReport) => end._tag === "Stopped" && end.forced

interface Judgement {
  readonly status: TerminalStatus
  readonly exitCode?: number
  readonly errorType?: ExecutionErrorType
  readonly errorCause?: string
  readonly errorMessage?: string
}

const judge = (end: JobEnd): Judgement => {
  switch (end._tag) {
    case "Exited":
      return end.exitCode === 0
        ? { status: "completed", exitCode: 0 }
        : failed(
            "script_error",
            `exit:${end.exitCode}`,
            `The script ended with exit code ${end.exitCode}.`,
            end.exitCode
          )
    case "Signalled":
      return failed("script_error", `signal:${end.signal}`, `The script was ended by signal ${end.signal}.`, null)
    case "LimitExceeded":
      return failed(
        "resource_limit",
        end.suspected ? `${end.limit}:suspected` : end.limit,
        limitMessage(end),
        end.exitCode
      )
    case "TimedOut":
      return {
        status: "timeout",
        errorType: "timeout",
        errorCause: "timeout",
        errorMessage: "The script ran longer than its timeout and was ended."
      }
    case "Stopped":
      return { status: "cancelled", errorCause: "cancelled", errorMessage: "The script was stopped." }
    case "Lost":
      return {
        status: "error",
        errorType: "system_error",
        errorCause: "lost",
        errorMessage: `The runtime lost the script, which may have run in part: ${end.detail}`
      }
  }
}

const limitMessage = ({ limit, suspected }: Extract<JobEnd, { readonly _tag: "LimitExceeded" }>) => {
  if (limit === "disk_reserve")
    return "The disk of the machine was almost full, and the script took the most of it of those that were growing: it was ended."
  if (limit === "storage") return "The disk of the machine was full."
  return `The script ${suspected ? "seems to have" : "has"} exceeded its limit on ${limit.replaceAll("_", " ")}.`
}

const failed = (
  errorType: ExecutionErrorType,
  errorCause: string,
  errorMessage: string,
  exitCode: number | null
): Judgement => ({
  status: "failed",
  errorType,
  errorCause,
  errorMessage,
  ...(exitCode === null ? {} : { exitCode })
})

const outputOf = ({ stderr, stdout, usage }: JobReport): ExecutionOutcome => {
  const [out, err] = [omissionOf(stdout), omissionOf(stderr)]
  const omitted = { ...(out === undefined ? {} : { stdout: out }), ...(err === undefined ? {} : { stderr: err }) }
  const truncated = out !== undefined || err !== undefined
  return {
    stdoutBytes: stdout.keptBytes,
    stderrBytes: stderr.keptBytes,
    truncated,
    ...(truncated ? { omitted } : {}),
    ...(usage === undefined ? {} : { resourceUsage: usage })
  }
}

const omissionOf = ({ keptBytes, tailBytes = 0, writtenBytes }: OutputTotals): Omission | undefined =>
  writtenBytes > keptBytes ? { at: keptBytes - tailBytes, bytes: writtenBytes - keptBytes } : undefined
