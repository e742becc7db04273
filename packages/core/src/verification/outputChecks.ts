/** Whether the stored output of an execution is whole, and as long as its outcome says. */

import { Schema } from "effect"
import { OutputName, OutputStream } from "../runtime/Job.ts"
import type { Check, OutputExtent } from "./ExecutionRecords.ts"
import { unless } from "./Violation.ts"

const isOutputStream = Schema.is(OutputStream)

/** Each extent begins where the one before it in the same stream ended; the first at 0. */
const contiguous: Check = ({ executionId, extents }) =>
  extents.flatMap((extent, i) => {
    const before = extents[i - 1]
    const end = before !== undefined && sameStream(before, extent) ? before.offset + before.length : 0
    return unless(
      extent.offset === end,
      "output_contiguous",
      rowOf(executionId, extent),
      `${extent.offset > end ? "a gap" : "an overlap"}: the bytes before end at ${end}`
    )
  })

const known: Check = ({ execution, executionId, extents }) =>
  extents.flatMap((extent) => [
    ...unless(isOutputStream(extent.output), "output_contiguous", rowOf(executionId, extent), "no such stream"),
    // Output of an attempt may be stored just before the attempt's start is.
    ...unless(
      execution === undefined || (extent.attempt >= 1 && extent.attempt <= execution.attempt + 1),
      "output_size",
      rowOf(executionId, extent),
      `output of attempt ${extent.attempt}, the execution counts ${execution?.attempt}`
    )
  ])

const limited: Check = ({ execution, executionId, extents }) => {
  if (execution === undefined) return []
  const { outputBytes } = execution.limits
  return extents.flatMap((extent) =>
    unless(
      extent.output === "order" || extent.offset + extent.length <= outputBytes,
      "output_size",
      rowOf(executionId, extent),
      `it ends at ${extent.offset + extent.length}, the limit is ${outputBytes} bytes`
    )
  )
}

const counted: Check = ({ execution, executionId, extents }) => {
  if (execution === undefined) return []
  const { attempt, earlierAttempts = [], outcome } = execution
  const ended = [...earlierAttempts, ...(outcome === undefined ? [] : [{ attempt, outcome }])]
  return ended.flatMap(({ attempt, outcome }) => {
    const totals = { stdout: outcome.stdoutBytes, stderr: outcome.stderrBytes }
    return OutputName.literals.flatMap((output) => {
      const own = extents.filter((extent) => extent.attempt === attempt && extent.output === output)
      const stored = own.reduce((total, { length }) => total + length, 0)
      return unless(
        stored === totals[output],
        "output_size",
        `execution_output ${executionId}/${attempt}/${output}`,
        `${stored} bytes are stored, the outcome says ${totals[output]}`
      )
    })
  })
}

const sameStream = (a: OutputExtent, b: OutputExtent) => a.attempt === b.attempt && a.output === b.output
const rowOf = (executionId: string, { attempt, offset, output }: OutputExtent) =>
  `execution_output ${executionId}/${attempt}/${output}/${offset}`

export const outputChecks: ReadonlyArray<Check> = [contiguous, known, limited, counted]
