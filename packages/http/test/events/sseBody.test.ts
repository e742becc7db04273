import { assert, describe, it } from "@effect/vitest"
import * as CrowdLatch from "@fairlead/core/wakeups/CrowdLatch"
import * as Heartbeats from "@fairlead/http/server/sse/Heartbeats"
import * as SseBody from "@fairlead/http/server/sse/SseBody"
import { Deferred, Effect, Fiber, Schema, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as StalledReaders from "../../src/server/internal/stalledReaders.ts"

const intervalMillis = 15_000
const stalledMillis = 15_000
const frame = SseBody.render("0123456789", undefined)
const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (pieces: ReadonlyArray<Uint8Array>) => Buffer.concat(pieces).toString()

/** Tells the parts that it is given, and waits for more; counts what is taken from it. */
const sourceOf = (parts: Array<SseBody.SsePart>, endings: ReadonlyArray<SseBody.Ending> = []) => {
  let taken = 0
  let wake = () => {}
  const source: SseBody.SseSource = {
    greeting: () => Effect.succeed(bytes("hello ")),
    poll: Effect.sync(() => {
      const part = parts.shift()
      if (part !== undefined) taken++
      return part
    }),
    onMore: (more) => {
      wake = more
    },
    heartbeat: () => Effect.succeed(bytes("beat ")),
    endings
  }
  const tell = (part: SseBody.SsePart) =>
    Effect.sync(() => {
      parts.push(part)
      wake()
    })
  return { source, tell, taken: () => taken }
}
const bodyOf = (source: SseBody.SseSource) =>
  Effect.flatMap(Heartbeats.make(intervalMillis), (heartbeats) => SseBody.make(heartbeats, source))
const many = (count: number) => Array.from({ length: count }, (): SseBody.SsePart => ({ frames: frame }))
const last: SseBody.SsePart = { frames: bytes("last"), rest: Stream.empty }

/** The body as the edge hands it to a server. */
const watched = Effect.fnUntraced(function* (source: SseBody.SseSource) {
  const watch = yield* StalledReaders.make(stalledMillis)
  const { body } = watch(HttpServerResponse.stream(yield* bodyOf(source)))
  return body._tag === "Stream" ? body.stream : Stream.empty
})

/** Lets everything run that needs no time. */
const settle = Effect.repeat(Effect.yieldNow, { times: 1000 })

describe("the body of an event stream", () => {
  it.effect("takes nothing from its source while its reader takes nothing, and then ends", () =>
    Effect.gen(function* () {
      const { source, taken } = sourceOf(many(1_000))
      const awake = yield* Deferred.make<void>()
      const got: Array<Uint8Array> = []
      const reader = yield* (yield* watched(source)).pipe(
        Stream.tap(() =>
          Effect.sync(() => got.length === 3).pipe(
            Effect.flatMap((full) => (full ? Deferred.await(awake) : Effect.void))
          )
        ),
        Stream.runForEach((piece) => Effect.sync(() => void got.push(piece))),
        Effect.forkChild
      )
      yield* settle
      assert.isAtMost(taken(), got.length)
      const ahead = taken()
      yield* TestClock.adjust(stalledMillis * 1.25)
      yield* settle
      yield* Deferred.succeed(awake, undefined)
      assert.strictEqual((yield* Fiber.await(reader))._tag, "Failure")
      assert.strictEqual(taken(), ahead)
    }).pipe(Effect.scoped)
  )

  it.effect("waits for a reader that is slow but steady", () =>
    Effect.gen(function* () {
      const { source } = sourceOf([...many(20), last])
      const reader = yield* (yield* watched(source)).pipe(
        Stream.tap(() => Effect.sleep(stalledMillis / 2)),
        Stream.runCollect,
        Effect.forkChild
      )
      for (let i = 0; i < 22; i++) {
        yield* settle
        yield* TestClock.adjust(stalledMillis / 2)
      }
      assert.strictEqual(textOf(yield* Fiber.join(reader)), `hello ${textOf(many(20).map(({ frames }) => frames))}last`)
    }).pipe(Effect.scoped)
  )

  const Told = Schema.Array(Schema.Literals(["a", "", "wait"]))
  it.effect.prop(
    "is what the source tells, in order, however it comes",
    [Told, Schema.Array(Schema.Literals(["x", "y"]))],
    ([told, rest]) =>
      Effect.gen(function* () {
        const { source, tell } = sourceOf([])
        const reader = yield* Effect.forkChild(Stream.runCollect(yield* bodyOf(source)))
        for (const text of told) yield* text === "wait" ? settle : tell({ frames: bytes(text) })
        yield* tell({ frames: bytes("|"), rest: Stream.map(Stream.fromIterable(rest), bytes) })
        const expected = `hello ${told.filter((text) => text === "a").join("")}|${rest.join("")}`
        assert.strictEqual(textOf(yield* Fiber.join(reader)), expected)
      }).pipe(Effect.scoped)
  )

  it.effect("beats while nothing else is to be sent", () =>
    Effect.gen(function* () {
      const { source, tell } = sourceOf([])
      const reader = yield* Effect.forkChild(Stream.runCollect(yield* bodyOf(source)))
      yield* settle
      yield* TestClock.adjust(intervalMillis * 2)
      yield* tell(last)
      assert.strictEqual(textOf(yield* Fiber.join(reader)), "hello beat beat last")
    }).pipe(Effect.scoped)
  )

  it.effect("ends with the frame of the ending that opens, also when that was before", () =>
    Effect.gen(function* () {
      const when = CrowdLatch.make()
      const ending = { when, frame: () => Effect.succeed(bytes("bye")) }
      const { source } = sourceOf(many(1), [{ when: CrowdLatch.make(), frame: ending.frame }, ending])
      const reader = yield* Effect.forkChild(Stream.runCollect(yield* bodyOf(source)))
      yield* settle
      yield* when.open
      assert.strictEqual(textOf(yield* Fiber.join(reader)), `hello ${textOf([frame])}bye`)
      assert.strictEqual(
        textOf(yield* Stream.runCollect(yield* bodyOf(sourceOf(many(1), [ending]).source))),
        "hello bye"
      )
    }).pipe(Effect.scoped)
  )

  it.effect("breaks off inside a frame without another one, when an ending opens", () =>
    Effect.gen(function* () {
      const when = CrowdLatch.make()
      const rest = Stream.concat(Stream.make(bytes("half of")), Stream.never)
      const { source } = sourceOf([{ frames: frame, rest }], [{ when, frame: () => Effect.succeed(bytes("bye")) }])
      const reader = yield* Effect.forkChild(Stream.runCollect(yield* bodyOf(source)))
      yield* settle
      yield* when.open
      assert.strictEqual(textOf(yield* Fiber.join(reader)), `hello ${textOf([frame])}half of`)
    }).pipe(Effect.scoped)
  )

  it.effect("leaves nothing behind in what it waits for", () =>
    Effect.gen(function* () {
      const when = CrowdLatch.make()
      let asked = 0
      const counted = {
        ...when,
        leave: (wake: () => void) => {
          asked++
          when.leave(wake)
        }
      }
      const heartbeats = yield* Heartbeats.make(intervalMillis)
      let stopped = 0
      const watching = {
        watch: (wake: () => void) => {
          const heartbeat = heartbeats.watch(wake)
          return {
            ...heartbeat,
            stop: () => {
              stopped++
              heartbeat.stop()
            }
          }
        }
      }
      const { source } = sourceOf([], [{ when: counted, frame: () => Effect.succeed(frame) }])
      const body = Effect.flatMap(SseBody.make(watching, source), Stream.runDrain)
      yield* Effect.flatMap(Effect.forkChild(Effect.scoped(body), { startImmediately: true }), Fiber.interrupt)
      assert.deepStrictEqual([asked, stopped], [1, 1])
    }).pipe(Effect.scoped)
  )
})
