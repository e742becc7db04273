/**
 * What scripts wrote down about themselves as they began, to compare with what is stored: lines `execution_id attempt pid time`,
 * separated by blanks. The time is not read.
 */
import type { Execution } from "../executions/Execution.ts"
import { unless, type Violation } from "./Violation.ts"

export interface Ledger {
  /** Lines per `execution_id attempt`. */
  readonly starts: ReadonlyMap<string, number>
  /** Every execution that is named. */
  readonly executionIds: ReadonlySet<string>
  /** What is wrong with the start log itself: lines that cannot be read, attempts that ran twice. */
  readonly violations: ReadonlyArray<Violation>
}

export interface LedgerReader {
  /** Takes the next line; empty ones count as lines and say nothing. */
  add(line: string): void
  ledger(): Ledger
}

const pattern = /^\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(\d{1,9})\s+\d+\s+\S+\s*$/

/** Reads a ledger line by line, so that nobody has to hold the text of it. Keeps about 200 bytes a line. */
export const makeReader = (): LedgerReader => {
  const starts = new Map<string, number>()
  const executionIds = new Set<string>()
  const violations: Array<Violation> = []
  let lines = 0
  return {
    add: (line) => {
      lines++
      if (line.trim() === "") return
      const [, executionId, attempt] = pattern.exec(line.toLowerCase()) ?? []
      const row = `ledger line ${lines}`
      if (executionId === undefined || attempt === undefined) {
        violations.push(...unless(false, "ledger", row, "it is not `execution_id attempt pid time`"))
        return
      }
      const name = nameOf(executionId, Number(attempt))
      const before = starts.get(name) ?? 0
      starts.set(name, before + 1)
      executionIds.add(executionId)
      violations.push(...unless(before === 0, "ledger", row, `attempt ${attempt} of ${executionId} ran before`))
    },
    ledger: () => ({ starts, executionIds, violations })
  }
}

/** Whether a script that ended by itself is in the start log, with the attempt that is stored. */
export const missingIn = ({ starts }: Ledger, execution: Execution): ReadonlyArray<Violation> => {
  const { attempt, executionId } = execution
  return unless(
    !exited(execution) || starts.has(nameOf(executionId, attempt)),
    "ledger",
    `executions ${executionId}`,
    `attempt ${attempt} exited, but the ledger has no line of it`
  )
}

const nameOf = (executionId: string, attempt: number) => `${executionId} ${attempt}`

/** The outcome is that of a script that ran to its own end: not stopped, not limited, not lost. */
const exited = ({ outcome, status }: Execution) =>
  status === "completed" || (outcome?.errorType === "script_error" && outcome.exitCode !== undefined)
