/** Answers with the event stream of one execution. */
import type { Principal } from "@fairlead/core/auth/Principal"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { ExecutionFeed, type FeedReader } from "@fairlead/core/executions/ExecutionFeed"
import { parsePosition } from "@fairlead/core/executions/feedPositionText"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import * as CrowdLatch from "@fairlead/core/wakeups/CrowdLatch"
import { Bytes, DateTime, Effect, RcMap, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import * as SseBody from "../../sse/SseBody.ts"
import { type SseConnection, SseConnections, SseSettings } from "../../sse/SseConnections.ts"
import * as FeedFrames from "./FeedFrames.ts"
import { render, renderItems, sharedPages } from "./renderFrames.ts"

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
  const { gracePeriodSeconds: gracePeriod } = yield* SseSettings
  const renderPage = sharedPages()

  /** One fiber waits for all streams of a credential. */
  const revocations = yield* RcMap.make({
    lookup: Effect.fnUntraced(function* (caller: Principal) {
      const revoked = CrowdLatch.make()
      yield* Effect.forkScoped(Effect.andThen(sessions.awaitRevocation(caller), revoked.open))
      return revoked
    })
  })

  return Effect.fnUntraced(function* (caller: Principal, executionId: ExecutionId, lastId: string | undefined) {
    const from = lastId === undefined ? undefined : parsePosition(lastId)
    const reader = yield* feed.open(caller, executionId, from)
    const connection = yield* connections.open(caller.userId, `execution/${executionId}`)
    const revoked = yield* RcMap.get(revocations, caller)
    const source = sourceOf({ executionId, reader, connection, revoked }, gracePeriod, renderPage)
    const body = yield* SseBody.make(connections.heartbeats, source)
    return HttpServerResponse.stream(body, { contentType: "text/event-stream", headers })
  })
})

interface Followed {
  readonly executionId: ExecutionId
  readonly reader: FeedReader
  readonly connection: SseConnection
  readonly revoked: CrowdLatch.CrowdLatch
}

const sourceOf = (
  { executionId, reader, connection, revoked }: Followed,
  gracePeriod: number,
  renderPage: ReturnType<typeof sharedPages>
): SseBody.SseSource => {
  const control = (bare: Parameters<typeof FeedFrames.control>[2]) =>
    Effect.flatMap(DateTime.now, (now) => render(FeedFrames.control(executionId, now, bare)))
  let state = FeedFrames.initial(executionId)

  const greeting = Effect.fnUntraced(function* () {
    yield* connection.consume
    const { connectionId } = connection
    const connected = yield* control({ eventType: "connected", connectionId })
    const subscribed = yield* control({ eventType: "subscribed", message: "Following the execution." })
    const status = yield* renderItems(state, [reader.status])
    state = status.state
    return Bytes.concat([connected, subscribed, status.frames])
  })
  const poll = Effect.gen(function* () {
    const page = yield* reader.poll
    if (page === undefined) return undefined
    const rendered = yield* renderPage(state, page)
    state = rendered.state
    const { frames, long } = rendered
    return page.more === "never" ? { frames, rest: long ?? Stream.empty } : { frames }
  })
  return {
    greeting,
    // A failure of the store or of ours ends the stream with a frame that says so; the reader resumes.
    poll: Effect.catchCause(poll, (cause) =>
      Effect.gen(function* () {
        yield* Effect.logError("event stream failed", cause)
        const error = "The stream broke off; reconnect to go on."
        return { frames: yield* control({ eventType: "error", error }), rest: Stream.empty }
      })
    ),
    onMore: reader.onMore,
    heartbeat: () => control({ eventType: "heartbeat" }),
    endings: [
      { when: connection.drained, frame: () => control({ eventType: "shutdown", gracePeriod }) },
      { when: revoked, frame: () => control({ eventType: "error", error: "The credential is no longer valid." }) }
    ]
  }
}
