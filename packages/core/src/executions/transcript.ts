/** Both output streams of an attempt as one, in the order in which they were written. Pure. */
import { Bytes } from "effect"
import type { OutputName } from "../runtime/Job.ts"
import { linesOf } from "../runtime/OutputOrder.ts"
import type { Omission } from "./Execution.ts"
import { incompleteTail } from "./wholeCharacters.ts"

export interface TranscriptEntry {
  /** Milliseconds since 1970; `undefined` where the order is not known. */
  readonly at: number | undefined
  readonly output: OutputName
  /** UTF-8 that begins and ends between characters, as far as it is any. */
  readonly bytes: Uint8Array
  /** Bytes of this stream that were written just before and not kept. */
  readonly omittedBytes?: number
}

/** How far a reader has come. */
export interface TranscriptPosition {
  /** Where the next line begins in the order. */
  readonly order: number
  /** Bytes of that line's piece that were read before. */
  readonly within: number
  readonly stdout: number
  readonly stderr: number
}

export interface TranscriptPage {
  readonly entries: ReadonlyArray<TranscriptEntry>
  readonly next: TranscriptPosition
  /** Everything has been read, and nothing follows. */
  readonly ended: boolean
}

/** One stream as far as a page needs it. */
export interface StreamWindow {
  /** Up to 3 bytes before the position: the beginning of a character that was cut there. */
  readonly before: Uint8Array
  /** From the position on. */
  readonly bytes: Uint8Array
  /** Stored in all. */
  readonly size: number
  readonly omission: Omission | undefined
}

export interface TranscriptInput extends Readonly<Record<OutputName, StreamWindow>> {
  readonly position: TranscriptPosition
  /** Text of the order from `position.order` on, and the time that it begins with. */
  readonly order: string
  readonly beginning: number
  /** Nothing of the order is stored behind this text. */
  readonly orderEnds: boolean
  /** Nothing is stored any more. */
  readonly complete: boolean
  /** Most entries. */
  readonly limit: number
}

export const beginningOfTranscript: TranscriptPosition = { order: 0, within: 0, stdout: 0, stderr: 0 }

export const transcribe = (input: TranscriptInput): TranscriptPage => {
  const { beginning, complete, limit, order, orderEnds, position } = input
  const [stdout, stderr] = [readerOf(position.stdout, input.stdout), readerOf(position.stderr, input.stderr)]
  const readers = { stdout, stderr }
  const entries: Array<TranscriptEntry> = []
  const add = (output: OutputName, length: number, at: number | undefined) => {
    const read = readers[output].take(length)
    if (read.bytes.length > 0 || read.omittedBytes !== undefined) entries.push({ at, output, ...read })
  }
  let [consumed, within] = [0, position.within]
  let isStopped = false
  for (const { at, end, length, output } of linesOf(order, beginning, 0)) {
    const reader = readers[output]
    const taken = Math.min(length - within, reader.available())
    if (taken > 0) add(output, taken, at)
    // A runtime that was lost may have told of bytes that nobody has.
    const isRead = within + taken === length || (complete && reader.isAtEnd())
    if (isRead) [consumed, within] = [end, 0]
    else within += taken
    isStopped = !isRead || entries.length >= limit
    if (isStopped) break
  }
  // What the order does not tell of comes at the end.
  const isTold = complete && orderEnds && !isStopped
  if (isTold) for (const output of ["stdout", "stderr"] as const) add(output, readers[output].available(), undefined)
  const ended = isTold && stdout.isAtEnd() && stderr.isAtEnd()
  if (ended) for (const output of ["stdout", "stderr"] as const) entries.push(...readers[output].rest(output))
  const next = { order: position.order + consumed, within, stdout: stdout.position(), stderr: stderr.position() }
  return { entries, next, ended }
}

const readerOf = (from: number, { before, bytes, omission, size }: StreamWindow) => {
  let read = 0
  let cut = before.subarray(before.length - incompleteTail(before))
  return {
    available: () => bytes.length - read,
    position: () => from + read,
    isAtEnd: () => from + read >= size,
    take: (length: number): Pick<TranscriptEntry, "bytes" | "omittedBytes"> => {
      const isBehindGap = omission !== undefined && from + read === omission.at && length > 0
      const whole = Bytes.concat([cut, bytes.subarray(read, read + length)])
      read += length
      const end = whole.length - incompleteTail(whole)
      cut = whole.subarray(end)
      const taken = { bytes: whole.subarray(0, end) }
      return isBehindGap ? { ...taken, omittedBytes: omission.bytes } : taken
    },
    /** What never became a character. */
    rest: (output: OutputName): ReadonlyArray<TranscriptEntry> =>
      cut.length === 0 ? [] : [{ at: undefined, output, bytes: cut }]
  }
}

/** `order.within.stdout.stderr`. Equal positions have equal texts. */
export const formatTranscriptPosition = ({ order, stderr, stdout, within }: TranscriptPosition): string =>
  `${order}.${within}.${stdout}.${stderr}`

/** The position that `text` is the form of; `undefined` for any other text. */
export const parseTranscriptPosition = (text: string): TranscriptPosition | undefined => {
  const [order, within, stdout, stderr] = /^\d{1,12}(\.\d{1,12}){3}$/.test(text) ? text.split(".").map(Number) : []
  return order === undefined || within === undefined || stdout === undefined || stderr === undefined
    ? undefined
    : { order, within, stdout, stderr }
}
