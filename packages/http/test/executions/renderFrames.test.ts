import { assert, describe, it } from "@effect/vitest"
import type { FeedItem, FeedPage, FeedPosition } from "@fairlead/core/executions/FeedPage"
import { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { initial } from "@fairlead/http/server/executions/sse/FeedFrames"
import { renderItems, sharedPages } from "@fairlead/http/server/executions/sse/renderFrames"
import { Effect, Schema } from "effect"

const executionId = ExecutionId.make("019a0000-0000-7000-8000-000000000001")
const start: FeedPosition = { version: 3, attempt: 1, stdout: 0, stderr: 0 }

/** One page for each chunk; characters of two and three bytes are cut anywhere. */
const pagesOf = (text: string, sizes: ReadonlyArray<number>) => {
  const bytes = new TextEncoder().encode(text)
  let position = start
  return sizes.map((size): FeedPage => {
    const offset = position.stdout
    const chunk = bytes.subarray(offset, offset + size)
    position = { ...position, stdout: offset + chunk.length }
    const item: FeedItem = { _tag: "Output", output: "stdout", attempt: 1, offset, bytes: chunk, position }
    return { items: chunk.length === 0 ? [] : [item], position, more: "now" }
  })
}
const Text = Schema.Array(Schema.Literals(["a", "é", "€", "😀"]))
const Sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })))

describe("pages that many followers are told", () => {
  it.effect.prop("are rendered as for each of them alone, and once", [Text, Sizes], ([text, sizes]) =>
    Effect.gen(function* () {
      const pages = pagesOf(text.join(""), sizes)
      const render = sharedPages()
      const before = { ...initial(executionId), position: start }
      let [first, second, alone] = [before, { ...before }, before]
      for (const page of pages) {
        const [one, two] = [yield* render(first, page), yield* render(second, page)]
        const own = yield* renderItems(alone, page.items)
        assert.strictEqual(one.frames, two.frames)
        assert.deepStrictEqual(one.frames, own.frames)
        ;[first, second, alone] = [one.state, two.state, own.state]
      }
    })
  )

  it.effect("are rendered anew for one who came by another way", () =>
    Effect.gen(function* () {
      const [, page] = pagesOf("a€b", [2, 9])
      const render = sharedPages()
      const before = { ...initial(executionId), position: { ...start, stdout: 2 } }
      if (page === undefined) return
      const held = { ...before, held: { ...before.held, stdout: Uint8Array.of(0xe2) } }
      const [whole, cut] = [yield* render(held, page), yield* render(before, page)]
      assert.include(new TextDecoder().decode(whole.frames), '"data":"€b"')
      assert.notInclude(new TextDecoder().decode(cut.frames), "€")
    })
  )
})
