import { assert, describe, it } from "@effect/vitest"
import type { FeedItem, FeedPosition } from "@fairlead/core/executions/FeedPage"
import { parsePosition } from "@fairlead/core/executions/feedPositionText"
import { incompleteTail } from "@fairlead/core/executions/wholeCharacters"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { decodeWhole } from "@fairlead/http/server/executions/sse/decodeWhole"
import { type Frame, initial, step } from "@fairlead/http/server/executions/sse/FeedFrames"
import { DateTime, Schema } from "effect"

const executionId = ExecutionId.make("019a0000-0000-7000-8000-000000000001")
const at = DateTime.makeUnsafe("2026-01-01T00:00:00Z")

/** Pieces of characters, whole ones, and bytes that never become one. */
const Piece = Schema.Literals([
  "61",
  "c3a9",
  "c3",
  "a9",
  "e2",
  "82",
  "ac",
  "f09f9880",
  "f0",
  "9f",
  "ff",
  "eda0",
  "e080",
  "f490"
])
const Chunk = Schema.Struct({ output: Schema.Literals(["stdout", "stderr"]), pieces: Schema.NonEmptyArray(Piece) })
const Chunks = Schema.Array(Chunk).check(Schema.isMaxLength(12))

const items = (chunks: typeof Chunks.Type): ReadonlyArray<FeedItem> => {
  let position: FeedPosition = { version: 3, attempt: 1, stdout: 0, stderr: 0 }
  return chunks.map(({ output, pieces }): FeedItem => {
    const bytes = Buffer.from(pieces.join(""), "hex")
    const offset = position[output]
    position = { ...position, [output]: offset + bytes.length }
    return { _tag: "Output", output, attempt: 1, offset, bytes, position }
  })
}
/** Ends the attempt without a result: another one begins. */
const flushed: FeedItem = {
  _tag: "Output",
  output: "stdout",
  attempt: 2,
  offset: 0,
  bytes: Buffer.from("."),
  position: { version: 3, attempt: 2, stdout: 1, stderr: 0 }
}

const framesOf = (fed: ReadonlyArray<FeedItem>) => {
  let state = { ...initial(executionId), position: { version: 3, attempt: 1, stdout: 0, stderr: 0 } }
  return fed.flatMap((item): ReadonlyArray<Frame> => {
    const [next, frames] = step(state, item, at)
    state = next
    return frames
  })
}
const outputOf = ({ content }: Frame) =>
  content._tag === "Control" && content.frame.eventType === "output" ? content.frame : undefined
const bytesOf = (frame: Frame) => {
  const output = outputOf(frame)
  if (output === undefined || output.attempt !== 1) return Buffer.alloc(0)
  return output.dataBase64 === undefined ? Buffer.from(output.data) : Buffer.from(output.dataBase64, "base64")
}

describe("frames of output", () => {
  it.prop("give the same text as the whole, however the bytes arrive", [Chunks], ([chunks]) => {
    const frames = framesOf([...items(chunks), flushed])
    for (const name of ["stdout", "stderr"] as const) {
      const whole = Buffer.from(chunks.flatMap(({ output, pieces }) => (output === name ? pieces : [])).join(""), "hex")
      const own = frames.filter((frame) => outputOf(frame)?.stream === name)
      assert.strictEqual(Buffer.concat(own.map(bytesOf)).toString("hex"), whole.toString("hex"))
      const text = own.map((frame) => (outputOf(frame)?.attempt === 1 ? outputOf(frame)?.data : "")).join("")
      assert.strictEqual(text, new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole))
    }
  })

  it.prop(
    "carry ids that say how many bytes have been sent, and offsets that say where they begin",
    [Chunks],
    ([chunks]) => {
      const sent = { stdout: 0, stderr: 0 }
      for (const frame of framesOf(items(chunks))) {
        const output = outputOf(frame)
        if (output === undefined) continue
        assert.strictEqual(output.offset, sent[output.stream])
        sent[output.stream] += bytesOf(frame).length
        assert.deepStrictEqual(parsePosition(frame.id ?? ""), { version: 3, attempt: 1, ...sent })
      }
    }
  )

  it.prop("are text alone exactly when the bytes are UTF-8", [Chunks], ([chunks]) => {
    for (const { pieces } of chunks) {
      const bytes = Buffer.from(pieces.join(""), "hex")
      const whole = bytes.subarray(0, bytes.length - incompleteTail(bytes))
      assert.strictEqual(decodeWhole(whole).exact, Buffer.from(whole.toString("utf8")).equals(whole))
    }
  })
})
