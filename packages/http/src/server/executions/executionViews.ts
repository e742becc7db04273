/** From what the services of core answer to what stands on the wire. Pure. */
import type { Execution } from "@fairlead/core/executions/Execution"
import { LimitTooHigh } from "@fairlead/core/executions/ExecutionError"
import type { ExecutionLimits } from "@fairlead/core/executions/ExecutionLimits"
import type { ExecutionResult, OutputText } from "@fairlead/core/executions/ExecutionResult"
import { formatTranscriptPosition, type TranscriptPage } from "@fairlead/core/executions/transcript"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import type { QueuePosition } from "@fairlead/core/queue/QueueEstimates"
import type { Language } from "@fairlead/core/runtime/Language"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { DateTime, Option } from "effect"
import type {
  AttemptView,
  Cancellation,
  ExecutionView,
  ResultView,
  StandingView,
  Transcript
} from "../../api/executions/ExecutionViews.ts"
import { limitUnits } from "../../api/executions/LimitRequests.ts"
import { retryView } from "../../api/executions/QueueingRequests.ts"
import type { LongMembers } from "../internal/jsonPieces.ts"
import { decodeWhole } from "./sse/decodeWhole.ts"

export const executionView = (
  { earlierAttempts, limits, outcome, retryPolicy, sealedEnv: _, ...execution }: Execution,
  position: Option.Option<QueuePosition>
): ExecutionView => ({
  ...execution,
  ...(earlierAttempts === undefined ? {} : { earlierAttempts: earlierAttempts.map(attemptView) }),
  ...(retryPolicy === undefined ? {} : { retry: retryView(retryPolicy) }),
  ...(Option.isNone(position) ? {} : { queue: standingView(position.value) }),
  limits: {
    timeoutSeconds: limits.timeoutMillis / 1000,
    memoryMb: limits.memoryBytes / 1024 ** 2,
    cpuMillicores: limits.cpuMillicores,
    processes: limits.processes,
    diskMb: limits.diskBytes / 1024 ** 2,
    fileSizeMb: limits.fileSizeBytes / 1024 ** 2,
    openFiles: limits.openFiles,
    outputBytes: limits.outputBytes
  },
  ...outcome
})

/** Of an execution as it stood with that attempt, or of one that another followed. */
export const attemptView = ({
  attempt,
  finishedAt,
  outcome,
  nodeId,
  startedAt,
  status
}: Pick<Execution, "attempt" | "finishedAt" | "outcome" | "nodeId" | "startedAt" | "status">): AttemptView => ({
  attempt,
  status,
  ...(nodeId === undefined ? {} : { nodeId }),
  ...(startedAt === undefined ? {} : { startedAt }),
  ...(finishedAt === undefined ? {} : { finishedAt }),
  ...outcome
})

/** `requested`: it was not cancelled before. */
export const cancellationView = (executionId: ExecutionId, requested: boolean): typeof Cancellation.Type =>
  requested
    ? {
        executionId,
        status: "cancellation_requested",
        message: "Cancellation request submitted",
        eventId: null
      }
    : {
        executionId,
        status: "already_cancelled",
        message: "Execution was already cancelled",
        eventId: "-1"
      }

export const standingView = ({ ahead, position, priority, state, waitSeconds }: QueuePosition): StandingView => ({
  state,
  priority,
  position,
  ahead,
  estimatedWaitSeconds: waitSeconds ?? null
})

/** A long text is left empty: `longMembers` has it. */
export const resultView = (result: ExecutionResult): ResultView => {
  const { execution } = result
  const { outcome } = execution
  const [stdout, stderr] = [shortText(result.stdout), shortText(result.stderr)]
  return {
    executionId: execution.executionId,
    name: execution.name ?? null,
    labels: execution.labels ?? {},
    status: execution.status,
    stdout,
    stderr,
    output: stdout,
    errors: stderr,
    lang: execution.lang,
    langVersion: execution.langVersion,
    resolvedVersion: execution.resolvedVersion,
    resourceUsage: outcome?.resourceUsage ?? null,
    exitCode: outcome?.exitCode ?? null,
    errorType: outcome?.errorType ?? null,
    errorCause: outcome?.errorCause ?? null,
    errorMessage: outcome?.errorMessage ?? null,
    truncated: outcome?.truncated ?? false,
    stdoutBytes: outcome?.stdoutBytes ?? null,
    stderrBytes: outcome?.stderrBytes ?? null,
    stdoutWrittenBytes: outcome === undefined ? null : outcome.stdoutBytes + (outcome.omitted?.stdout?.bytes ?? 0),
    stderrWrittenBytes: outcome === undefined ? null : outcome.stderrBytes + (outcome.omitted?.stderr?.bytes ?? 0),
    attempt: execution.attempt,
    createdAt: execution.createdAt,
    updatedAt: execution.updatedAt,
    startedAt: execution.startedAt ?? null,
    finishedAt: execution.finishedAt ?? null
  }
}

export const transcriptView = (
  executionId: ExecutionId,
  { attempt, ended, entries, next }: TranscriptPage & { readonly attempt: number }
): typeof Transcript.Type => ({
  executionId,
  attempt,
  entries: entries.map(({ at, bytes, output, ...entry }) => ({
    ...entry,
    text: decodeWhole(bytes).text,
    at: at === undefined ? null : DateTime.makeUnsafe(at),
    stream: output
  })),
  nextCursor: formatTranscriptPosition(next),
  ended
})

const shortText = (text: OutputText | null) => (typeof text === "string" ? text : text && "")

/** The texts of a result's view that are too long for one piece; `undefined` when there are none. */
export const longMembers = ({ stderr, stdout }: ExecutionResult): LongMembers<StorageError> | undefined => {
  const out = stdout === null || typeof stdout === "string" ? {} : { stdout: stdout.parts, output: stdout.parts }
  const err = stderr === null || typeof stderr === "string" ? {} : { stderr: stderr.parts, errors: stderr.parts }
  const found = { ...out, ...err }
  return Object.keys(found).length === 0 ? undefined : found
}

/** The same refusal in the fields and units of the request; what was asked for is rounded up. */
export const inRequestUnits = ({ limits }: LimitTooHigh): LimitTooHigh =>
  new LimitTooHigh({
    limits: limits.map(({ limit, maximum, requested }) => {
      const { field, unit } = limitUnits[limit] ?? { field: limit, unit: 1 }
      return { limit: field, requested: Math.ceil(requested / unit), maximum: Math.floor(maximum / unit) }
    })
  })

/** What an execution gets when it asks for nothing else. Languages that several runtimes have are joined. */
export const resourceLimits = (
  { cpuMillicores, memoryBytes, timeoutMillis }: ExecutionLimits,
  languages: ReadonlyArray<Language>
) => {
  const cpu = `${cpuMillicores}m`
  const memory = `${Math.floor(memoryBytes / 1024 ** 2)}Mi`
  const supported = new Map<string, { readonly versions: ReadonlyArray<string>; readonly fileExt: string }>()
  for (const { fileExtension, name, versions } of languages) {
    const known = supported.get(name)?.versions ?? []
    supported.set(name, { versions: [...new Set([...known, ...versions])], fileExt: fileExtension })
  }
  return {
    cpuLimit: cpu,
    memoryLimit: memory,
    cpuRequest: cpu,
    memoryRequest: memory,
    executionTimeout: timeoutMillis / 1000,
    supportedRuntimes: Object.fromEntries(supported)
  }
}
