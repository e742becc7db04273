/** What is kept of the output of one job in memory, as `Job.tailBytesOf` and `OutputOrder` say. */
import { Bytes } from "effect"
import { type OutputName, type OutputOffsets, type OutputTotals, type ScriptOutput, tailBytesOf } from "./Job.ts"
import { type OutputPiece, orderBeginning, orderLine } from "./OutputOrder.ts"

export interface MemoryOutput {
  write(output: OutputName, bytes: Uint8Array, at: number): void
  /** Nothing is written any more: what is kept of the ends comes behind the rest. */
  end(): void
  /** What is kept behind `from`. */
  chunks(from: OutputOffsets): ReadonlyArray<ScriptOutput>
  offsets(): OutputOffsets
  totals(output: OutputName): OutputTotals
}

interface Kept {
  head: Uint8Array
  /** The last bytes so far. */
  tail: Uint8Array
  writtenBytes: number
}

const none = new Uint8Array(0)
const utf8 = new TextEncoder()

/** `beginning`: when the job began, in milliseconds since 1970. */
export const makeMemoryOutput = (outputBytes: number, beginning: number): MemoryOutput => {
  const tailBytes = tailBytesOf(outputBytes)
  const kept: Record<OutputName, Kept> = {
    stdout: { head: none, tail: none, writtenBytes: 0 },
    stderr: { head: none, tail: none, writtenBytes: 0 }
  }
  let order: Uint8Array = none
  /** From the first piece on that may not be kept: they are told when the job has ended, so that the order stays one of times. */
  let waiting: ReadonlyArray<OutputPiece & { readonly ofTail: boolean }> = []
  const tell = (piece: OutputPiece) => {
    if (piece.length === 0) return
    const before = order.length === 0 ? utf8.encode(orderBeginning(beginning)) : order
    order = Bytes.concat([before, utf8.encode(orderLine(beginning, piece))])
  }
  const streams = () => ({ stdout: kept.stdout.head, stderr: kept.stderr.head, order })

  return {
    write: (output, bytes, at) => {
      const stream = kept[output]
      const room = outputBytes - tailBytes - stream.head.length
      const [first, rest] = [bytes.subarray(0, room), bytes.subarray(room)]
      stream.writtenBytes += bytes.length
      stream.head = Bytes.concat([stream.head, first])
      if (waiting.length === 0) tell({ output, at, length: first.length })
      else waiting = [...waiting, { output, at, length: first.length, ofTail: false }]
      const tail = Bytes.concat([stream.tail, rest])
      stream.tail = tail.subarray(Math.max(0, tail.length - tailBytes))
      if (rest.length > 0) waiting = [...waiting, { output, at, length: rest.length, ofTail: true }]
    },
    end: () => {
      const missing = { stdout: kept.stdout.tail.length, stderr: kept.stderr.tail.length }
      const told = waiting.toReversed().map((piece) => {
        if (!piece.ofTail) return piece
        const length = Math.min(piece.length, missing[piece.output])
        missing[piece.output] -= length
        return { ...piece, length }
      })
      for (const piece of told.toReversed()) tell(piece)
      for (const stream of Object.values(kept)) stream.head = Bytes.concat([stream.head, stream.tail])
    },
    chunks: (from) =>
      Object.entries(streams()).flatMap(([name, bytes]): ReadonlyArray<ScriptOutput> => {
        const output = name === "stdout" || name === "stderr" ? name : "order"
        const offset = from[output] ?? 0
        return bytes.length <= offset ? [] : [{ _tag: "Chunk", output, offset, bytes: bytes.subarray(offset) }]
      }),
    offsets: () => ({ stdout: kept.stdout.head.length, stderr: kept.stderr.head.length, order: order.length }),
    totals: (output) => {
      const { head, tail, writtenBytes } = kept[output]
      const totals = { writtenBytes, keptBytes: head.length }
      return writtenBytes > head.length ? { ...totals, tailBytes: tail.length } : totals
    }
  }
}
