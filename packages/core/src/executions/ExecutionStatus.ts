/** Where an execution stands. The last five are terminal: nothing follows them. */
import { Schema } from "effect"

export const TerminalStatus = Schema.Literals(["completed", "failed", "timeout", "cancelled", "error"])
export type TerminalStatus = typeof TerminalStatus.Type

export const ExecutionStatus = Schema.Literals(["queued", "scheduled", "running", ...TerminalStatus.literals])
export type ExecutionStatus = typeof ExecutionStatus.Type

export const isTerminal = Schema.is(TerminalStatus)
