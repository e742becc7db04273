import { assert, describe } from "@effect/vitest"
import { ExecutionFeed, type FeedReader } from "@fairlead/core/executions/ExecutionFeed"
import { Executions } from "@fairlead/core/executions/Executions"
import type { FeedItem } from "@fairlead/core/executions/FeedPage"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import { Effect, Stream } from "effect"
import { alice, lines, live, run, submit } from "./support/MemoryHost.ts"

const followed = (id: ExecutionId, from?: FeedItem["position"]) =>
  Effect.flatMap(ExecutionFeed, (feed) => feed.follow(alice, id, from)).pipe(Effect.flatMap(Stream.runCollect))

/** What a reader learns, whatever the pieces it came in. */
const told = (items: ReadonlyArray<FeedItem>) => ({
  events: items.flatMap((item) => (item._tag === "Event" ? [item.event.streamVersion] : [])),
  stdout: items.flatMap((item) => (item._tag === "Output" && item.output === "stdout" ? [...item.bytes] : [])),
  end: items.at(-1)?._tag
})

describe("ExecutionFeed.follow", () => {
  live(
    "shows output while the script runs, and ends after the last event",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("out first\nsleep 100\nout second"))
      const seen: Array<string> = []
      const feed = yield* (yield* ExecutionFeed).follow(alice, executionId, undefined)
      yield* Stream.runForEach(feed, (item) =>
        Effect.gen(function* () {
          const { status } = yield* (yield* Executions).get(alice, executionId)
          seen.push(item._tag === "Event" ? item.event.event._tag : `${item._tag} ${status}`)
        })
      )
      assert.include(seen, "Output running")
      assert.deepStrictEqual(seen.slice(-3), ["ExecutionCompleted", "ResultStored", "End completed"])
    })
  )

  live(
    "resumed from any item it tells exactly the rest",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("out one\nout two\nerr three\nout four"))
      const whole = yield* followed(execution.executionId)
      for (const [i, item] of whole.entries()) {
        const before = told(whole.slice(0, i + 1))
        const rest = told(yield* followed(execution.executionId, item.position))
        assert.deepStrictEqual([...before.events, ...rest.events], told(whole).events)
        assert.deepStrictEqual([...before.stdout, ...rest.stdout], told(whole).stdout)
        assert.strictEqual(rest.end, "End")
      }
    })
  )
})

/** The page that a reader comes to next. */
const nextPage = (reader: FeedReader) =>
  Effect.gen(function* () {
    while (true) {
      const page = yield* reader.poll
      if (page !== undefined) return page
      yield* Effect.callback<void>((resume) => reader.onMore(() => resume(Effect.void)))
    }
  })

describe("ExecutionFeed.open", () => {
  live(
    "gives all readers at one place the same page, and tells each that there is more",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("out first\nsleep 100\nout second"))
      const feed = yield* ExecutionFeed
      const open = feed.open(alice, executionId, undefined)
      const readers = [yield* open, yield* open, yield* open]
      const seen: Array<FeedItem> = []
      while (true) {
        const pages = yield* Effect.forEach(readers, nextPage, { concurrency: "unbounded" })
        assert.strictEqual(new Set(pages).size, 1)
        const [page] = pages
        seen.push(...(page?.items ?? []))
        if (page?.more === "never") break
      }
      assert.deepStrictEqual(told(seen), told(yield* followed(executionId)))
    }).pipe(Effect.scoped)
  )
})
