/**
 * The body of an event stream, without a fiber of its own: whoever sends it asks for what comes next. Nothing waits here for a
 * reader that is slower than its source; one that takes nothing for too long loses its stream, as of any answer, and resumes. No
 * frame is ever dropped from the middle.
 */
import type { CrowdLatch } from "@fairlead/core/wakeups/CrowdLatch"
import { type Array as Arrays, Cause, Effect, type Pull, Scope, Stream } from "effect"
import { Sse } from "effect/encoding"
import type { Heartbeats } from "./Heartbeats.ts"

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

export interface SsePart {
  /** Whole frames, in order; may be empty. */
  readonly frames: Uint8Array
  /** All that follows: a frame in pieces, or nothing. Absent while there may be more to poll. */
  readonly rest?: Stream.Stream<Uint8Array> | undefined
}

export interface SseSource {
  /** Sent first; made when the body is first asked for. */
  greeting(): Effect.Effect<Uint8Array>
  /** What is to be sent next, if it is known; at once. */
  readonly poll: Effect.Effect<SsePart | undefined>
  /** Calls `wake` once when `poll` may tell more than it did, maybe now. A function that waits already goes on waiting. */
  onMore(wake: () => void): void
  heartbeat(): Effect.Effect<Uint8Array>
  readonly endings: ReadonlyArray<Ending>
}

/** Ends the stream when it opens, with a frame that is made then, unless another frame is under way. */
export interface Ending {
  readonly when: CrowdLatch
  frame(): Effect.Effect<Uint8Array>
}

/**
 * Sends what the source tells, with a heartbeat from time to time while nothing else is to be sent, until it has told all or an ending
 * opens. To be sent once, before the scope closes.
 */
export const make = Effect.fnUntraced(function* (heartbeats: Heartbeats, source: SseSource) {
  const { endings } = source
  const scope = yield* Effect.scope
  let wake = nobody
  const ring = () => wake()
  const heartbeat = heartbeats.watch(ring)
  for (const { when } of endings) when.join(ring)
  const close = Effect.sync(() => {
    heartbeat.stop()
    for (const { when } of endings) when.leave(ring)
  })
  yield* Scope.addFinalizer(scope, close)

  let phase: "greeting" | "frames" | "over" = "greeting"
  let rest: BodyPull | undefined
  const ending = () => endings.find(({ when }) => when.isOpen())
  const wait = Effect.callback<void>((resume) => {
    wake = () => {
      wake = nobody
      resume(Effect.void)
    }
    source.onMore(ring)
    if (heartbeat.isDue() || ending() !== undefined) ring()
  })

  /** Empty when the source has told all. */
  const frames = Effect.gen(function* () {
    while (true) {
      const end = ending()
      if (end !== undefined) {
        phase = "over"
        return yield* end.frame()
      }
      const part = yield* source.poll
      if (part === undefined && heartbeat.isDue()) {
        heartbeat.sent()
        return yield* source.heartbeat()
      }
      if (part === undefined) {
        yield* wait
        continue
      }
      if (part.rest !== undefined) {
        phase = "over"
        rest = yield* untilOneOpens(endings, part.rest).pipe(Stream.toPull, Scope.provide(scope))
      }
      if (part.frames.length > 0 || part.rest !== undefined) return part.frames
    }
  })
  const pull = Effect.suspend((): BodyPull => {
    if (phase === "over") return rest ?? Cause.done()
    if (phase === "frames")
      return Effect.flatMap(frames, (bytes) => (bytes.length === 0 ? pull : Effect.succeed([bytes])))
    phase = "frames"
    return Effect.map(source.greeting(), (bytes) => [bytes])
  })
  return Stream.fromPull(Effect.succeed(pull))
})

type BodyPull = Pull.Pull<Arrays.NonEmptyReadonlyArray<Uint8Array>>

const untilOneOpens = (endings: ReadonlyArray<Ending>, stream: Stream.Stream<Uint8Array>) =>
  Stream.interruptWhen(stream, Effect.raceAllFirst(endings.map(({ when }) => when.await)))

const nobody = () => {}
