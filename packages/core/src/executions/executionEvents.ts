/** The facts that an execution's moves tell the world. Pure. */
import { DateTime } from "effect"
import type { DomainEvent } from "../events/DomainEvent.ts"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import type { JobHandle } from "../runtime/Job.ts"
import type { EndedAttempt, Execution } from "./Execution.ts"

/** Bytes of each stream that end up in events. */
export const previewBytes = 16 * 1024

export interface OutputPreviews {
  readonly stdout: string
  readonly stderr: string
}

export const requested = (
  execution: Execution,
  fileExtension: string,
  ahead: number,
  waitSeconds: number | undefined
): ReadonlyArray<DomainEvent> => {
  const { executionId, lang, limits, priority, resolvedVersion, runtime, script } = execution
  const cpu = `${limits.cpuMillicores}m`
  const memory = `${Math.floor(limits.memoryBytes / 1024 ** 2)}Mi`
  return [
    {
      _tag: "ExecutionRequested",
      executionId,
      script,
      language: lang,
      languageVersion: resolvedVersion,
      runtimeImage: `${runtime}/${lang}:${resolvedVersion}`,
      runtimeCommand: [lang, ...execution.args],
      runtimeFilename: `script.${fileExtension}`,
      timeoutSeconds: limits.timeoutMillis / 1000,
      cpuLimit: cpu,
      memoryLimit: memory,
      cpuRequest: cpu,
      memoryRequest: memory,
      priority
    },
    {
      _tag: "ExecutionAccepted",
      executionId,
      queuePosition: ahead + 1,
      estimatedWaitSeconds: waitSeconds ?? null,
      priority
    },
    {
      _tag: "ExecutionQueued",
      executionId,
      positionInQueue: ahead + 1,
      estimatedStartTime: waitSeconds === undefined ? null : DateTime.add(execution.createdAt, { seconds: waitSeconds })
    }
  ]
}

export const started = (execution: Execution, handle: JobHandle): ReadonlyArray<DomainEvent> => {
  const { attempt, executionId } = execution
  const podName = handle.jobId
  return [
    { _tag: "ExecutionStarted", executionId, podName, nodeName: handle.node, containerId: null, attempt },
    { _tag: "ExecutionRunning", executionId, podName, progressPercentage: null }
  ]
}

/** An attempt ended, and another one follows. */
export const attemptFailed = (
  ended: EndedAttempt,
  executionId: ExecutionId,
  nextAttemptAt: DateTime.Utc
): DomainEvent => {
  const { errorCause, errorMessage, errorType, exitCode, resourceUsage } = ended.outcome
  return {
    _tag: "ExecutionAttemptFailed",
    executionId,
    attempt: ended.attempt,
    exitCode: exitCode ?? null,
    errorType: errorType ?? null,
    errorCause: errorCause ?? null,
    errorMessage: errorMessage ?? "",
    nextAttemptAt,
    ...(resourceUsage === undefined ? {} : { resourceUsage })
  }
}

/** The last two events of every execution: how it ended, and that its result can be read. */
export const ended = (
  execution: Execution,
  previews: OutputPreviews,
  cancel: { readonly by: string; readonly reason: string; readonly forced: boolean } | undefined
): ReadonlyArray<DomainEvent> => [
  endOf(execution, previews, cancel),
  {
    _tag: "ResultStored",
    executionId: execution.executionId,
    storageType: "database",
    storagePath: `executions/${execution.executionId}/attempts/${execution.attempt}`,
    sizeBytes: (execution.outcome?.stdoutBytes ?? 0) + (execution.outcome?.stderrBytes ?? 0)
  }
]

const endOf = (
  { executionId, limits, outcome, status }: Execution,
  previews: OutputPreviews,
  cancel: { readonly by: string; readonly reason: string; readonly forced: boolean } | undefined
): DomainEvent => {
  const usage = outcome?.resourceUsage === undefined ? {} : { resourceUsage: outcome.resourceUsage }
  switch (status) {
    case "completed":
      return { _tag: "ExecutionCompleted", executionId, exitCode: outcome?.exitCode ?? 0, ...usage, ...previews }
    case "timeout":
      return {
        _tag: "ExecutionTimeout",
        executionId,
        timeoutSeconds: limits.timeoutMillis / 1000,
        ...usage,
        ...previews
      }
    case "cancelled":
      return {
        _tag: "ExecutionCancelled",
        executionId,
        reason: cancel?.reason ?? outcome?.errorMessage ?? "",
        cancelledBy: cancel?.by ?? null,
        forceTerminated: cancel?.forced ?? false
      }
    default:
      return {
        _tag: "ExecutionFailed",
        executionId,
        exitCode: outcome?.exitCode ?? -1,
        errorType: outcome?.errorType ?? null,
        errorMessage: outcome?.errorMessage ?? "",
        ...usage,
        ...previews
      }
  }
}
