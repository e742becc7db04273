/**
 * In which order a script wrote to its streams, and when: what the stream `order` of a job says. Pure.
 *
 * Its first line is a time in milliseconds since 1970. Each further line tells of one piece of output: `o` or `e` for stdout or stderr, the
 * milliseconds since that time, and how many bytes: `e1204:17`. A runtime sees output a moment after it was written, so pieces of different
 * streams that were written within about a millisecond may stand in the other order.
 */
import type { OutputName } from "./Job.ts"

export interface OutputPiece {
  readonly output: OutputName
  /** Milliseconds since 1970. */
  readonly at: number
  readonly length: number
}

export const orderBeginning = (at: number): string => `${at}\n`

export const orderLine = (beginning: number, { at, length, output }: OutputPiece): string =>
  `${output === "stdout" ? "o" : "e"}${at - beginning}:${length}\n`

const beginningForm = /^(\d{1,15})\n/
const lineForm = /([oe])(\d{1,15}):(\d{1,15})\n/y

/** The time that the text begins with; `undefined` unless its first line is there. */
export const beginningOf = (text: string): number | undefined => {
  const found = beginningForm.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

export interface OrderLine extends OutputPiece {
  /** Where the next line begins in the text. */
  readonly end: number
}

/** The whole lines of a text from the position `start` of one on; the beginning of the text is passed over. Ends at what is no line. */
export function* linesOf(text: string, beginning: number, start: number): Generator<OrderLine> {
  lineForm.lastIndex = Math.max(start, beginningForm.exec(text)?.[0].length ?? 0)
  for (let found = lineForm.exec(text); found !== null; found = lineForm.exec(text)) {
    const [, letter, since, length] = found
    const end = lineForm.lastIndex
    yield { output: letter === "o" ? "stdout" : "stderr", at: beginning + Number(since), length: Number(length), end }
    lineForm.lastIndex = end
  }
}
