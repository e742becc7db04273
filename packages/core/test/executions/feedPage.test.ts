import { assert, describe, it } from "@effect/vitest"
import type { FeedItem, FeedPosition } from "@fairlead/core/executions/FeedPage"
import { Effect, Schema } from "effect"
import { pageOf, type ReadOutput } from "../../src/executions/internal/feedPage.ts"
import { storedEvents } from "./support/storedEvents.ts"

const chunkBytes = 64 * 1024
const Size = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 * chunkBytes }))
/** What each attempt wrote; all but the last failed. */
const Attempts = Schema.NonEmptyArray(Schema.Struct({ stdout: Size, stderr: Size })).check(Schema.isMaxLength(4))

const beginning: FeedPosition = { version: 0, attempt: 0, stdout: 0, stderr: 0 }

/** An execution that has ended after these attempts, and its pages from a position on. */
const ended = (attempts: typeof Attempts.Type) => {
  const events = storedEvents([
    "ExecutionRequested",
    ...attempts.slice(1).map(() => "ExecutionAttemptFailed" as const),
    "ExecutionCompleted",
    "ResultStored"
  ])
  const read: ReadOutput<never> = (attempt, name, offset) =>
    Effect.succeed(
      new Uint8Array(Math.max(0, Math.min(chunkBytes, (attempts[attempt - 1]?.[name] ?? 0) - offset))).fill(attempt)
    )
  const pageBehind = (from: FeedPosition) => {
    const behind = events.filter(({ streamVersion }) => streamVersion > from.version)
    return pageOf(from, { attempt: attempts.length, status: "completed" }, behind, read)
  }
  const itemsBehind = Effect.fnUntraced(function* (from: FeedPosition) {
    const items: Array<FeedItem> = []
    for (let position = from; ; ) {
      const page = yield* pageBehind(position)
      const bytes = page.items.reduce((sum, item) => sum + (item._tag === "Output" ? item.bytes.length : 0), 0)
      assert.isAtMost(bytes, 3 * chunkBytes)
      items.push(...page.items)
      if (page.more === "never") return items
      assert.notDeepEqual(page.position, position)
      position = page.position
    }
  })
  return { events, itemsBehind }
}

const versionsOf = (items: ReadonlyArray<FeedItem>) =>
  items.flatMap((item) => (item._tag === "Event" ? [item.event.streamVersion] : []))
/** How many bytes are told of each stream of each attempt. Fails where they do not follow on each other. */
const writtenIn = (items: ReadonlyArray<FeedItem>) => {
  const ends = new Map<string, number>()
  const sums: Record<string, number> = {}
  for (const item of items) {
    if (item._tag !== "Output") continue
    const name = `${item.attempt}/${item.output}`
    assert.strictEqual(item.offset, ends.get(name) ?? item.offset)
    ends.set(name, item.offset + item.bytes.length)
    sums[name] = (sums[name] ?? 0) + item.bytes.length
  }
  return sums
}

describe("the pages of a feed", () => {
  it.effect.prop("tell all events and all output, once and in order", [Attempts], ([attempts]) =>
    Effect.gen(function* () {
      const { events, itemsBehind } = ended(attempts)
      const items = yield* itemsBehind(beginning)
      assert.deepStrictEqual(
        versionsOf(items),
        events.map(({ streamVersion }) => streamVersion)
      )
      const written = attempts.flatMap(({ stderr, stdout }, i) => [
        [`${i + 1}/stdout`, stdout] as const,
        [`${i + 1}/stderr`, stderr] as const
      ])
      assert.deepStrictEqual(writtenIn(items), Object.fromEntries(written.filter(([, size]) => size > 0)))
    })
  )

  it.effect.prop("tell the output of an attempt before the event that ends it", [Attempts], ([attempts]) =>
    Effect.gen(function* () {
      let running = 1
      for (const item of yield* ended(attempts).itemsBehind(beginning)) {
        if (item._tag === "Output") assert.strictEqual(item.attempt, running)
        if (item._tag !== "Event") continue
        const { _tag } = item.event.event
        if (_tag === "ExecutionAttemptFailed") running++
        if (_tag === "ExecutionCompleted") running = 0
      }
    })
  )

  it.effect.prop("go on from any item with exactly the rest", [Attempts], ([attempts]) =>
    Effect.gen(function* () {
      const { itemsBehind } = ended(attempts)
      const items = yield* itemsBehind(beginning)
      for (const [i, { position }] of items.entries()) {
        const [rest, expected] = [yield* itemsBehind(position), items.slice(i + 1)]
        assert.deepStrictEqual(versionsOf(rest), versionsOf(expected))
        assert.deepStrictEqual(writtenIn(rest), writtenIn(expected))
      }
    })
  )

  it.effect(
    "come as they are filled: one that is full says that there is more, one at the end of a running execution to come back",
    () =>
      Effect.gen(function* () {
        const read: ReadOutput<never> = (_attempt, name, offset) =>
          Effect.succeed(new Uint8Array(name === "stdout" ? Math.min(chunkBytes, chunkBytes + 1 - offset) : 0))
        const running = { attempt: 1, status: "running" } as const
        const first = yield* pageOf(beginning, running, [], read)
        assert.deepStrictEqual([first.items.length, first.more, first.position.stdout], [1, "now", chunkBytes])
        const second = yield* pageOf(first.position, running, [], read)
        assert.deepStrictEqual([second.items.length, second.more, second.position.stdout], [1, "later", chunkBytes + 1])
      })
  )
})
