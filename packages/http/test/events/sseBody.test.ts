import { assert, describe, it } from "@effect/vitest"
import * as SseBody from "@fairlead/http/server/sse/SseBody"
import { SseSettings } from "@fairlead/http/server/sse/SseConnections"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"

const frame = SseBody.render("0123456789", undefined)

/** A source that counts what is taken from it and never ends. */
const endless = () => {
  let taken = 0
  const next = Effect.sync(() => {
    taken++
    return frame
  })
  const frames = Stream.forever(Stream.fromEffect(next))
  return { taken: () => taken, source: { frames, heartbeat: Effect.succeed(frame), endings: [] } }
}

/** Lets everything run that needs no time. */
const settle = Effect.repeat(Effect.yieldNow, { times: 1000 })

describe("the body of an event stream", () => {
  it.effect.each([
    ["frames", { bufferFrames: 8 }, 8],
    ["bytes", { bufferBytes: frame.length * 5 }, 5]
  ] as const)("holds a source back by %s while its reader takes nothing, and then ends", ([, limits, room]) =>
    Effect.gen(function* () {
      const settings = { ...(yield* SseSettings), ...limits }
      const { source, taken } = endless()
      const awake = yield* Deferred.make<void>()
      const reader = yield* SseBody.make(settings, source).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Deferred.await(awake)),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* settle
      const ahead = taken()
      assert.isTrue(ahead > room && ahead <= 2 * room + 2, `${ahead}`)
      yield* TestClock.adjust(settings.stuckMillis)
      yield* settle
      yield* Deferred.succeed(awake, undefined)
      // What was in the buffer is gone: the reader resumes behind what it has got.
      assert.isAtMost((yield* Fiber.join(reader)).length, room)
      assert.strictEqual(taken(), ahead)
    })
  )

  it.effect("waits for a reader that is slow but steady", () =>
    Effect.gen(function* () {
      const settings = { ...(yield* SseSettings), bufferFrames: 2 }
      const { source } = endless()
      const reader = yield* SseBody.make(settings, source).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep(settings.stuckMillis / 4)),
        Stream.take(20),
        Stream.runCollect,
        Effect.forkChild
      )
      for (let i = 0; i < 20; i++) {
        yield* settle
        yield* TestClock.adjust(settings.stuckMillis / 4)
      }
      assert.strictEqual((yield* Fiber.join(reader)).length, 20)
    })
  )

  it.effect("lets a frame larger than the whole buffer through", () =>
    Effect.gen(function* () {
      const settings = { ...(yield* SseSettings), bufferBytes: 4 }
      const source = { frames: Stream.make(frame, frame), heartbeat: Effect.succeed(frame), endings: [] }
      assert.strictEqual((yield* Stream.runCollect(SseBody.make(settings, source))).length, 2)
    })
  )
})
