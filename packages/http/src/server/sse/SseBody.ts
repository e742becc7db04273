/**
 * The body of an event stream. A reader that is slower than its source fills a bounded buffer and then holds the source back;
 * one that takes nothing for too long loses its stream and resumes. No frame is ever dropped from the middle.
 */

import type { Cause } from "effect"
import { Effect, Queue, Semaphore, Stream } from "effect"
import { Sse } from "effect/encoding"
import type { SseSettingsShape } from "./SseConnections.ts"

/** One unnamed event, ready to be sent. */
export const render = (data: string, id: string | undefined): Uint8Array =>
  encoder.encode(Sse.encoder.write({ _tag: "Event", event: "message", id, data }))

/** The same of data that comes in pieces; none of them may hold a line break. */
export const renderPieces = <E>(
  pieces: Stream.Stream<Uint8Array, E>,
  id: string | undefined
): Stream.Stream<Uint8Array, E> => {
  const [before = "", after = ""] = Sse.encoder.write({ _tag: "Event", event: "message", id, data: "{}" }).split("{}")
  return Stream.make(encoder.encode(before)).pipe(
    Stream.concat(pieces),
    Stream.concat(Stream.make(encoder.encode(after)))
  )
}

const encoder = new TextEncoder()
/** Whether a frame ends with these bytes: the blank line behind it. */
const endsFrame = (bytes: Uint8Array) => bytes.at(-1) === 0x0a && bytes.at(-2) === 0x0a

export interface SseSource {
  /** Rendered frames, in order; a long one may come in pieces. */
  readonly frames: Stream.Stream<Uint8Array>
  readonly heartbeat: Effect.Effect<Uint8Array>
  /** Each ends the stream when it answers, with the frame that it answers. */
  readonly endings: ReadonlyArray<Effect.Effect<Uint8Array>>
}

/** Sends the frames with a heartbeat while nothing else waits, until they end or one of `endings` answers. */
export const make = (
  { bufferBytes, bufferFrames, heartbeatMillis, stuckMillis }: SseSettingsShape,
  source: SseSource
): Stream.Stream<Uint8Array> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const buffer = yield* Queue.bounded<Uint8Array, Cause.Done>(bufferFrames)
      const room = yield* Semaphore.make(bufferBytes)
      /** A frame larger than the whole buffer waits for all of it. */
      const weight = (frame: Uint8Array) => Math.min(frame.length, bufferBytes)

      /** Nothing else may come between the pieces of a frame. */
      let betweenFrames = true
      const keep = (frame: Uint8Array) =>
        Effect.suspend(() => {
          betweenFrames = endsFrame(frame)
          return Queue.offer(buffer, frame)
        })
      const inTime = Effect.timeoutOrElse({
        duration: stuckMillis,
        orElse: () => Effect.andThen(Queue.clear(buffer), Effect.interrupt)
      })
      const put = (frame: Uint8Array) =>
        Effect.flatMap(Semaphore.takeIfAvailable(room, weight(frame)), (taken) => {
          // Most readers are quick, and need no timer.
          if (taken && Queue.sizeUnsafe(buffer) < bufferFrames) return keep(frame)
          return inTime(taken ? keep(frame) : Effect.andThen(Semaphore.take(room, weight(frame)), keep(frame)))
        })
      const beat = Effect.gen(function* () {
        while (true) {
          yield* Effect.sleep(heartbeatMillis)
          if (betweenFrames && Queue.sizeUnsafe(buffer) === 0) yield* put(yield* source.heartbeat)
        }
      })

      const endings = source.endings.map((ending) =>
        Effect.flatMap(ending, (frame) => (betweenFrames ? put(frame) : Effect.void))
      )
      yield* Effect.raceAllFirst([Stream.runForEach(source.frames, put), beat, ...endings]).pipe(
        Effect.ensuring(Queue.end(buffer)),
        Effect.forkScoped
      )
      return Stream.fromQueue(buffer).pipe(
        Stream.mapArrayEffect((frames) =>
          Effect.as(
            Semaphore.release(
              room,
              frames.reduce((sum, frame) => sum + weight(frame), 0)
            ),
            frames
          )
        )
      )
    })
  )
