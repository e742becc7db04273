import { assert, describe, it } from "@effect/vitest"
import {
  beginningOfTranscript,
  formatTranscriptPosition,
  parseTranscriptPosition,
  type TranscriptEntry,
  type TranscriptPosition,
  transcribe
} from "@fairlead/core/executions/transcript"
import type { OutputName } from "@fairlead/core/runtime/Job"
import { orderBeginning, orderLine } from "@fairlead/core/runtime/OutputOrder"
import { Bytes, Schema } from "effect"

interface Written {
  readonly output: OutputName
  readonly bytes: Uint8Array
}

const began = 1_796_000_000_000
const bytesOf = (written: ReadonlyArray<Written>, name: OutputName) =>
  Bytes.concat(written.filter(({ output }) => output === name).map(({ bytes }) => bytes))
const orderOf = (written: ReadonlyArray<Written>) =>
  orderBeginning(began) +
  written.map(({ bytes, output }, i) => orderLine(began, { output, at: began + i, length: bytes.length })).join("")

interface Store {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly order: string
}

const pageOf = (store: Store, position: TranscriptPosition, window: number, limit: number) => {
  const look = (output: OutputName) => {
    const at = position[output]
    const bytes = store[output]
    return {
      before: bytes.subarray(Math.max(0, at - 3), at),
      bytes: bytes.subarray(at, at + window),
      size: bytes.length,
      omission: undefined
    }
  }
  const order = store.order.slice(position.order, position.order + 64)
  return transcribe({
    position,
    order,
    beginning: began,
    orderEnds: order.length < 64,
    complete: true,
    limit,
    stdout: look("stdout"),
    stderr: look("stderr")
  })
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
const readAll = (store: Store, window: number, limit: number) =>
  entriesOf(store, window, limit).map(({ bytes, ...entry }) => ({ ...entry, text: utf8.decode(bytes) }))

const entriesOf = (store: Store, window: number, limit: number) => {
  const entries: Array<TranscriptEntry> = []
  let position = beginningOfTranscript
  for (let pages = 0; pages < 10_000; pages++) {
    const page = pageOf(store, position, window, limit)
    entries.push(...page.entries)
    if (page.ended) return entries
    position = parseTranscriptPosition(formatTranscriptPosition(page.next)) ?? assert.fail("no position")
  }
  return assert.fail("it does not end")
}

/** Text cut anywhere, also within characters. */
const Pieces = Schema.Array(
  Schema.Struct({ output: Schema.Literals(["stdout", "stderr"]), text: Schema.String, cut: Schema.Int })
).check(Schema.isMaxLength(12))

describe("transcribe", () => {
  it.prop(
    "reads every character of both streams once, whatever the size of the pages",
    [
      Pieces,
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 }))
    ],
    ([pieces, window, limit]) => {
      const written = pieces.flatMap(({ cut, output, text }): ReadonlyArray<Written> => {
        const bytes = new TextEncoder().encode(text)
        const at = bytes.length === 0 ? 0 : Math.abs(cut) % bytes.length
        return [bytes.subarray(0, at), bytes.subarray(at)]
          .filter(({ length }) => length > 0)
          .map((part) => ({ output, bytes: part }))
      })
      const store = { stdout: bytesOf(written, "stdout"), stderr: bytesOf(written, "stderr"), order: orderOf(written) }
      const entries = readAll(store, window, limit)
      for (const name of ["stdout", "stderr"] as const) {
        const read = entries.filter(({ output }) => output === name).map(({ text }) => text)
        assert.strictEqual(read.join(""), utf8.decode(store[name]))
      }
      const times = entries.flatMap(({ at }) => at ?? [])
      assert.deepStrictEqual(
        times,
        times.toSorted((a, b) => a - b)
      )
    }
  )

  const written = ["one\n", "two\n", "three\n"].map(
    (text, i): Written => ({
      output: i === 1 ? "stderr" : "stdout",
      bytes: new TextEncoder().encode(text)
    })
  )
  const store = { stdout: bytesOf(written, "stdout"), stderr: bytesOf(written, "stderr"), order: orderOf(written) }

  it("tells pieces in their order, with their times", () => {
    assert.deepStrictEqual(readAll(store, 100, 100), [
      { at: began, output: "stdout", text: "one\n" },
      { at: began + 1, output: "stderr", text: "two\n" },
      { at: began + 2, output: "stdout", text: "three\n" }
    ])
  })

  it("puts what has no order at the end, without times", () => {
    const lost = { ...store, order: orderOf(written.slice(0, 1)) }
    assert.deepStrictEqual(readAll(lost, 100, 100).slice(1), [
      { at: undefined, output: "stdout", text: "three\n" },
      { at: undefined, output: "stderr", text: "two\n" }
    ])
    assert.strictEqual(readAll({ ...store, order: "" }, 100, 100).length, 2)
  })

  it("ends also when the order tells of bytes that are not there, or breaks off", () => {
    assert.strictEqual(readAll({ ...store, stdout: store.stdout.subarray(0, 5) }, 100, 100).at(-1)?.text, "t")
    assert.strictEqual(readAll({ ...store, order: `${store.order}o12` }, 100, 100).length, 3)
  })

  it("says where bytes are missing", () => {
    const omission = { at: 4, bytes: 99 }
    const look = (bytes: Uint8Array) => ({ before: new Uint8Array(), bytes, size: bytes.length, omission: undefined })
    const { entries } = transcribe({
      position: beginningOfTranscript,
      order: store.order,
      beginning: began,
      orderEnds: true,
      complete: true,
      limit: 10,
      stdout: { ...look(store.stdout), omission },
      stderr: look(store.stderr)
    })
    assert.deepStrictEqual(entries.at(-1), {
      at: began + 2,
      output: "stdout",
      bytes: store.stdout.subarray(4),
      omittedBytes: 99
    })
  })
})
