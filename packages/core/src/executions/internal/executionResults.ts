/** Executions together with what their last attempts wrote. */
import { type Context, Effect } from "effect"
import type { Execution } from "../Execution.ts"
import type { ExecutionOutputStore } from "../ExecutionOutputStore.ts"
import { previewBytes } from "../executionEvents.ts"
import { outputText } from "../outputText.ts"
import type { outputReading } from "./outputReading.ts"

/** Output on one page of a list. */
const pageBytes = 1024 ** 2

export const makeExecutionResults = (
  outputs: Context.Service.Shape<typeof ExecutionOutputStore>,
  textOf: ReturnType<typeof outputReading>["textOf"]
) => {
  /** All results of a page with one read of their output. */
  const previewsOf = Effect.fnUntraced(function* (executions: ReadonlyArray<Execution>) {
    const bytes = Math.min(previewBytes, Math.floor(pageBytes / (2 * Math.max(1, executions.length))))
    const heads = yield* outputs.heads(executions, bytes)
    return executions.map((execution, i) => {
      const head = heads[i]
      if (!hasBegun(execution) || head === undefined) return { execution, stdout: null, stderr: null }
      const { omitted } = execution.outcome ?? {}
      const stdout = outputText(head.stdout.subarray(0, omitted?.stdout?.at))
      return { execution, stdout, stderr: outputText(head.stderr.subarray(0, omitted?.stderr?.at)) }
    })
  })

  const resultOf = Effect.fnUntraced(function* (execution: Execution) {
    const { outcome } = execution
    if (!hasBegun(execution)) return { execution, stdout: null, stderr: null }
    const written =
      outcome === undefined
        ? yield* outputs.sizes(execution)
        : { stdout: outcome.stdoutBytes, stderr: outcome.stderrBytes }
    const stdout = yield* textOf(execution, "stdout", written.stdout, outcome?.omitted?.stdout)
    return { execution, stdout, stderr: yield* textOf(execution, "stderr", written.stderr, outcome?.omitted?.stderr) }
  })

  return { previewsOf, resultOf }
}

/** Whether there may be output of it; one that ended without having run has none, and that is known. */
const hasBegun = ({ attempt, outcome }: Execution) => attempt > 0 || outcome !== undefined
