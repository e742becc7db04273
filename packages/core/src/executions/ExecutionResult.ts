/** What an execution left, in the two forms in which it is asked for: in one piece, and as ranges of bytes. */
import type { OutputName } from "../runtime/Job.ts"
import type { Execution } from "./Execution.ts"

/** An execution with what its last attempt wrote, for answers in one piece. */
export interface ExecutionResult {
  readonly execution: Execution
  /** UTF-8, with U+FFFD for what is none; `null` until the execution has ended. The exact bytes are in the output. */
  readonly stdout: string | null
  readonly stderr: string | null
}

/** A part of one output stream. */
export interface OutputQuery {
  readonly output: OutputName
  readonly offset: number
  readonly limit: number
  /** 1 for the first; absent: the latest that began. */
  readonly attempt?: number | undefined
}

/** Some bytes of one output stream. */
export interface OutputRange {
  readonly bytes: Uint8Array
  /** Position of the first byte. */
  readonly offset: number
  /** Bytes stored so far; the final number once `ended`, which is when the attempt has. */
  readonly size: number
  readonly ended: boolean
  readonly truncated: boolean
  readonly attempt: number
  /** The execution has ended, with this attempt: no other will follow. */
  readonly last: boolean
}
