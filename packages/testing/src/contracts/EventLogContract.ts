/** What every event log promises: dense streams, and one order of everything that no late commit slips behind. */
import { assert, it } from "@effect/vitest"
import { type EventCursor, EventLog } from "@fairlead/core/events/EventLog"
import type { StoredEvent } from "@fairlead/core/events/StoredEvent"
import type { Stores } from "@fairlead/core/Stores"
import { Storage } from "@fairlead/core/storage/Storage"
import { Deferred, Effect, Exit, Fiber, type Layer, Option, Result } from "effect"
import { cancelledEvent, runningEvent } from "../fixtures/EventFixtures.ts"
import { eventId } from "../fixtures/Uuid.ts"
import { asFarAsItGets, eventually, liveSuite } from "./internal/eventually.ts"

const all = { afterVersion: 0, limit: 1_000 }
const ids = (events: ReadonlyArray<StoredEvent>) => events.map(({ eventId }) => eventId)
const versions = (events: ReadonlyArray<StoredEvent>) => events.map(({ streamVersion }) => streamVersion)

/** Follows the log from behind `after`, `limit` at a time, until `count` events have been seen. */
const follow = Effect.fnUntraced(function* (after: EventCursor | undefined, limit: number, count: number) {
  const log = yield* EventLog
  const seen: Array<StoredEvent> = []
  let cursor = after
  const step = Effect.gen(function* () {
    const page = yield* log.readAll(cursor, limit)
    assert.isAtMost(page.events.length, limit)
    cursor = page.next
    seen.push(...page.events)
    return seen.length
  })
  yield* eventually(step, (length) => length >= count)
  return seen
})

/** The place behind everything that is in the log now. */
const endOfLog = Effect.gen(function* () {
  const log = yield* EventLog
  let cursor: EventCursor | undefined
  while (true) {
    const page = yield* log.readAll(cursor, 1_000)
    if (page.events.length === 0) return cursor
    cursor = page.next
  }
})

export const suite = (name: string, stores: Layer.Layer<Stores, unknown>): void =>
  it.layer(stores, liveSuite)(`EventLog (${name})`, (it) => {
    it.effect("append numbers a stream from 1 without gaps, and readStream pages it oldest first", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        assert.strictEqual(yield* log.append("a", [runningEvent(1), cancelledEvent(2)]), 2)
        assert.strictEqual(yield* log.append("a", [runningEvent(3)]), 3)
        assert.strictEqual(yield* log.append("a", []), 3)
        assert.strictEqual(yield* log.append("never", []), 0)
        assert.deepStrictEqual(versions(yield* log.readStream("a", all)), [1, 2, 3])
        assert.deepStrictEqual(ids(yield* log.readStream("a", { afterVersion: 1, limit: 1 })), [eventId(2)])
        assert.deepStrictEqual(yield* log.readStream("nobody", all), [])
      })
    )

    it.effect("readStream gives back what was appended in every field, and filters by tag", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const [first, second] = [runningEvent(11), cancelledEvent(12)]
        yield* log.append("b", [first, second])
        assert.deepStrictEqual(yield* log.readStream("b", all), [
          { ...first, stream: "b", streamVersion: 1 },
          { ...second, stream: "b", streamVersion: 2 }
        ])
        const cancelled = yield* log.readStream("b", { ...all, tags: ["ExecutionCancelled", "ExecutionFailed"] })
        assert.deepStrictEqual(versions(cancelled), [2])
        assert.deepStrictEqual(yield* log.readStream("b", { ...all, tags: [] }), [])
      })
    )

    it.effect("find answers by id", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        yield* log.append("c", [runningEvent(21), runningEvent(22)])
        const found = yield* log.find(eventId(22))
        assert.deepStrictEqual(found, Option.some({ ...runningEvent(22), stream: "c", streamVersion: 2 }))
        assert.isTrue(Option.isNone(yield* log.find(eventId(29))))
      })
    )

    it.effect("append dies of an event id that is stored already, and writes nothing", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        yield* log.append("d", [runningEvent(31)])
        const exit = yield* Effect.exit(log.append("d", [runningEvent(32), runningEvent(31)]))
        assert.isTrue(Exit.hasDies(exit))
        assert.deepStrictEqual(ids(yield* log.readStream("d", all)), [eventId(31)])
      })
    )

    it.effect("appendAt writes only at the expected version, and tells the actual one", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const early = yield* Effect.flip(log.appendAt("e", 1, [runningEvent(41)]))
        assert.deepInclude(early, { _tag: "StreamVersionConflict", stream: "e", expected: 1, actual: 0 })
        assert.strictEqual(yield* log.appendAt("e", 0, [runningEvent(41)]), 1)
        const again = yield* Effect.flip(log.appendAt("e", 0, [runningEvent(42)]))
        assert.deepInclude(again, { _tag: "StreamVersionConflict", expected: 0, actual: 1 })
        assert.strictEqual(yield* log.appendAt("e", 1, [runningEvent(42)]), 2)
        assert.deepStrictEqual(ids(yield* log.readStream("e", all)), [eventId(41), eventId(42)])
      })
    )

    it.effect("of 20 rivals that append at one version, one wins", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        for (const expected of [0, 1]) {
          const rivals = Array.from({ length: 20 }, (_, i) => runningEvent(100 + 20 * expected + i))
          const results = yield* Effect.forEach(
            rivals,
            (event) => Effect.result(log.appendAt("f", expected, [event])),
            { concurrency: 20 }
          )
          assert.strictEqual(results.filter(Result.isSuccess).length, 1)
        }
        assert.deepStrictEqual(versions(yield* log.readStream("f", all)), [1, 2])
      })
    )

    it.effect("20 writers at once leave one dense stream in which each batch is whole", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const batch = (w: number) => [200 + 3 * w, 201 + 3 * w, 202 + 3 * w].map(runningEvent)
        const writers = Array.from({ length: 20 }, (_, w) => log.append("g", batch(w)))
        const ends = yield* Effect.all(writers, { concurrency: 20 })
        const stored = yield* log.readStream("g", all)
        assert.deepStrictEqual(
          versions(stored),
          stored.map((_, i) => i + 1)
        )
        for (const [w, end] of ends.entries())
          assert.deepStrictEqual(
            ids(stored.slice(end - 3, end)),
            batch(w).map((event) => event.eventId)
          )
      })
    )

    it.effect("of writers at once, only the one whose event is stored already dies", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        yield* log.append("p", [runningEvent(801)])
        const writers = Array.from({ length: 20 }, (_, w) =>
          Effect.exit(log.append(`p/${w % 4}`, [runningEvent(w === 13 ? 801 : 810 + w)]))
        )
        const ends = yield* Effect.all(writers, { concurrency: 20 })
        assert.deepStrictEqual(
          ends.flatMap((end, w) => (Exit.isSuccess(end) ? [] : [[w, Exit.hasDies(end)]])),
          [[13, true]]
        )
        const counts = yield* Effect.forEach([0, 1, 2, 3], (n) => log.readStream(`p/${n}`, all))
        assert.deepStrictEqual(
          counts.map((stored) => versions(stored)),
          [5, 4, 5, 5].map((count) => Array.from({ length: count }, (_, i) => i + 1))
        )
      })
    )

    it.effect("append goes down with the caller's transaction and leaves no gap", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const { transaction } = yield* Storage
        yield* log.append("h", [runningEvent(301)])
        yield* Effect.flip(transaction(Effect.andThen(log.append("h", [runningEvent(302)]), Effect.fail("stop"))))
        assert.strictEqual(yield* log.append("h", [runningEvent(303)]), 2)
        assert.isTrue(Option.isNone(yield* log.find(eventId(302))))
      })
    )

    it.effect("readAll pages through everything once, and stays where it is at the end", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const start = yield* endOfLog
        for (let n = 401; n <= 425; n++) yield* log.append(`i/${n % 3}`, [runningEvent(n)])
        const seen = yield* follow(start, 4, 25)
        assert.deepStrictEqual(
          ids(seen),
          Array.from({ length: 25 }, (_, i) => eventId(401 + i))
        )
        const end = yield* endOfLog
        assert.deepStrictEqual(yield* log.readAll(end, 10), { events: [], next: end })
      })
    )

    it.effect("readAll never skips an event that commits late", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const { transaction } = yield* Storage
        const start = yield* endOfLog
        const [appended, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const late = yield* log
          .append("j", [runningEvent(501)])
          .pipe(
            Effect.andThen(Deferred.succeed(appended, undefined)),
            Effect.andThen(Deferred.await(release)),
            transaction,
            Effect.forkChild
          )
        yield* Deferred.await(appended)
        const early = yield* Effect.forkChild(log.append("k", [runningEvent(502)]))
        yield* asFarAsItGets(early)
        const reader = yield* Effect.forkChild(follow(start, 10, 2))
        yield* asFarAsItGets(reader)
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(late)
        const seen = yield* Fiber.join(reader)
        assert.deepStrictEqual(ids(seen).toSorted(), [eventId(501), eventId(502)])
      })
    )

    it.effect("readAll keeps the order of a stream, also when the writer that began first appends last", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const { transaction } = yield* Storage
        const start = yield* endOfLog
        const began = yield* Deferred.make<void>()
        const rival = yield* Effect.forkChild(
          Effect.andThen(Deferred.await(began), log.append("l", [runningEvent(511), runningEvent(512)]))
        )
        const work = Effect.gen(function* () {
          yield* log.append("m", [runningEvent(513)])
          yield* Deferred.succeed(began, undefined)
          yield* asFarAsItGets(rival)
          yield* log.append("l", [runningEvent(514)])
        })
        yield* transaction(work)
        yield* Fiber.join(rival)
        const seen = yield* follow(start, 1, 4)
        assert.deepStrictEqual(versions(seen.filter(({ stream }) => stream === "l")), [1, 2, 3])
      })
    )

    it.effect("a reader beside 8 writers sees every event once, streams in order", () =>
      Effect.gen(function* () {
        const log = yield* EventLog
        const { transaction } = yield* Storage
        const start = yield* endOfLog
        const reader = yield* Effect.forkChild(follow(start, 7, 160))
        const writer = (w: number) =>
          Effect.forEach(
            Array.from({ length: 10 }, (_, i) => 600 + 20 * w + 2 * i),
            (n) =>
              transaction(
                Effect.gen(function* () {
                  yield* log.append(`n/${w}`, [runningEvent(n)])
                  for (let i = 0; i < n % 7; i++) yield* Effect.yieldNow
                  yield* log.append(`n/${(w + 1) % 8}/shared`, [runningEvent(n + 1)])
                })
              )
          )
        yield* Effect.forEach(
          Array.from({ length: 8 }, (_, w) => w),
          writer,
          { concurrency: 8 }
        )
        const seen = yield* Fiber.join(reader)
        assert.strictEqual(new Set(ids(seen)).size, 160)
        for (const stream of new Set(seen.map((event) => event.stream))) {
          const own = versions(seen.filter((event) => event.stream === stream))
          assert.deepStrictEqual(
            own,
            own.map((_, i) => i + 1),
            stream
          )
        }
      })
    )
  })
