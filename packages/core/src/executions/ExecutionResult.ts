/** What an execution left, in the two forms in which it is asked for: in one piece, and as ranges of bytes. */
import type { Stream } from "effect"
import type { OutputName } from "../runtime/Job.ts"
import type { StorageError } from "../storage/StorageError.ts"
import type { Execution, Omission } from "./Execution.ts"

/** What an attempt wrote to one stream: UTF-8, with U+FFFD for what is none. The exact bytes are in the output. */
export type OutputText = string | LongText

/** A text that is too long to be held in one piece: read from the store, a window at a time, as it is taken. */
export interface LongText {
  readonly parts: Stream.Stream<string, StorageError>
}

/** An execution with what its last attempt wrote. `T` is `OutputText`, or `string` where only beginnings are read. */
export interface ExecutionResult<T extends OutputText = OutputText> {
  readonly execution: Execution
  /** `null` until the execution has begun; while it runs, what it has written so far. */
  readonly stdout: T | null
  readonly stderr: T | null
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
  /** What of this stream was written and not kept, once that is known. */
  readonly omission: Omission | undefined
  readonly attempt: number
  /** The execution has ended, with this attempt: no other will follow. */
  readonly last: boolean
}

/** A part of one output stream that is read as it is taken. */
export interface OutputDownload extends Omit<OutputRange, "bytes"> {
  /** Bytes from `offset` on; 0 when there are none. */
  readonly length: number
  readonly bytes: Stream.Stream<Uint8Array, StorageError>
}
