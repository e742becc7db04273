/** Answers with the event stream of one execution. */
import type { Principal } from "@fairlead/core/auth/Principal"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { ExecutionFeed, type FeedItem } from "@fairlead/core/executions/ExecutionFeed"
import type { ExecutionId } from "@fairlead/core/executions/ExecutionId"
import { parsePosition } from "@fairlead/core/executions/feedPositionText"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { DateTime, Effect, Schema, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { ControlFrame } from "../../api/ExecutionFrames.ts"
import { WireEvent } from "../../api/WireEvent.ts"
import { jsonPieces } from "../internal/jsonPieces.ts"
import * as FeedFrames from "./FeedFrames.ts"
import * as SseBody from "./SseBody.ts"
import { SseConnections, SseSettings } from "./SseConnections.ts"

const encodeControl = Schema.encodeEffect(Schema.fromJsonString(ControlFrame))
const encodeLong = Schema.encodeEffect(ControlFrame)
const encodeEvent = Schema.encodeEffect(Schema.fromJsonString(WireEvent))

const render = ({ content, id }: FeedFrames.Frame) =>
  Effect.map(
    Effect.orDie(content._tag === "Control" ? encodeControl(content.frame) : encodeEvent(content.event)),
    (data) => SseBody.render(data, id)
  )

/** The frame's bytes; of one with long texts, piece by piece. A store that fails meanwhile breaks the stream off inside the frame. */
const rendered = (frame: FeedFrames.Frame): Stream.Stream<Uint8Array> => {
  const { content, id, long } = frame
  if (long === undefined || content._tag !== "Control") return Stream.fromEffect(render(frame))
  return Stream.fromEffect(Effect.orDie(encodeLong(content.frame))).pipe(
    Stream.flatMap((value) => SseBody.renderPieces(jsonPieces(value, long), id)),
    Stream.orDie
  )
}

/** Not cached, not changed on the way, not collected by a proxy. */
const headers = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" }

/**
 * `lastId` is the id of the last frame the reader has seen; one that is none of ours counts as absent. The place among the
 * user's streams is held until the request's scope closes, which is when the body has been sent or given up.
 */
export const make = Effect.gen(function* () {
  const feed = yield* ExecutionFeed
  const sessions = yield* Sessions
  const connections = yield* SseConnections
  const settings = yield* SseSettings

  return Effect.fnUntraced(function* (caller: Principal, executionId: ExecutionId, lastId: string | undefined) {
    const items = yield* feed.follow(caller, executionId, lastId === undefined ? undefined : parsePosition(lastId))
    const connection = yield* connections.open(caller.userId, `execution/${executionId}`)

    const control = (bare: Parameters<typeof FeedFrames.control>[2]) =>
      Effect.flatMap(DateTime.now, (now) => render(FeedFrames.control(executionId, now, bare)))
    const shutdown = control({ eventType: "shutdown", gracePeriod: settings.gracePeriodSeconds })
    const revoked = control({ eventType: "error", error: "The credential is no longer valid." })

    const body = SseBody.make(settings, {
      frames: Stream.fromIterable([
        control({ eventType: "connected", connectionId: connection.connectionId }),
        control({ eventType: "subscribed", message: "Following the execution." })
      ]).pipe(
        Stream.mapEffect((greeting) => greeting),
        Stream.concat(Stream.unwrap(Effect.as(connection.consume, framesOf(executionId, items))))
      ),
      heartbeat: control({ eventType: "heartbeat" }),
      endings: [Effect.andThen(connection.drained, shutdown), Effect.andThen(sessions.awaitRevocation(caller), revoked)]
    })
    return HttpServerResponse.stream(body, { contentType: "text/event-stream", headers })
  })
})

/** A failure of the store or of ours ends the stream with a frame that says so; the reader resumes. */
const framesOf = (executionId: ExecutionId, items: Stream.Stream<FeedItem, StorageError>): Stream.Stream<Uint8Array> =>
  items.pipe(
    Stream.mapAccumEffect(
      () => FeedFrames.initial(executionId),
      (state, item) => Effect.map(DateTime.now, (now) => FeedFrames.step(state, item, now))
    ),
    Stream.catchCause((cause) =>
      Stream.fromEffect(
        Effect.gen(function* () {
          yield* Effect.logError("event stream failed", cause)
          const error = "The stream broke off; reconnect to go on."
          return FeedFrames.control(executionId, yield* DateTime.now, { eventType: "error", error })
        })
      )
    ),
    Stream.flatMap(rendered)
  )
