/** What an execution left, in the two forms in which it is asked for: in one piece, and as ranges of bytes. */
import type { Execution } from "./Execution.ts"

/** An execution with what its last attempt wrote, for answers in one piece. */
export interface ExecutionResult {
  readonly execution: Execution
  /** UTF-8, with U+FFFD for what is none; `null` until the execution has ended. The exact bytes are in the output. */
  readonly stdout: string | null
  readonly stderr: string | null
}

/** Some bytes of one output stream. */
export interface OutputRange {
  readonly bytes: Uint8Array
  /** Position of the first byte. */
  readonly offset: number
  /** Bytes stored so far; the final number once `ended`. */
  readonly size: number
  readonly ended: boolean
  readonly truncated: boolean
}
