/** Frames as bytes. What many followers are told at the same node is rendered once. */
import type { FeedItem, FeedPage } from "@fairlead/core/executions/FeedPage"
import { formatPosition } from "@fairlead/core/executions/feedPositionText"
import { Bytes, DateTime, Effect, Schema, Stream } from "effect"
import { WireEvent } from "../../../api/events/WireEvent.ts"
import { ControlFrame } from "../../../api/executions/ExecutionFrames.ts"
import { jsonPieces } from "../../internal/jsonPieces.ts"
import * as SseBody from "../../sse/SseBody.ts"
import * as FeedFrames from "./FeedFrames.ts"

const encodeControl = Schema.encodeEffect(Schema.fromJsonString(ControlFrame))
const encodeLong = Schema.encodeEffect(ControlFrame)
const encodeEvent = Schema.encodeEffect(Schema.fromJsonString(WireEvent))

/** A frame without long texts. */
export const render = ({ content, id }: FeedFrames.Frame): Effect.Effect<Uint8Array> =>
  Effect.map(
    Effect.orDie(content._tag === "Control" ? encodeControl(content.frame) : encodeEvent(content.event)),
    (data) => SseBody.render(data, id)
  )

/** One with long texts, piece by piece. A store that fails meanwhile breaks the stream off inside the frame. */
const renderLong = ({ content, id, long }: FeedFrames.Frame): Stream.Stream<Uint8Array> => {
  if (long === undefined || content._tag !== "Control") return Stream.empty
  return Stream.fromEffect(Effect.orDie(encodeLong(content.frame))).pipe(
    Stream.flatMap((value) => SseBody.renderPieces(jsonPieces(value, long), id)),
    Stream.orDie
  )
}

export interface RenderedItems {
  /** What the next items are rendered with. */
  readonly state: FeedFrames.FeedFramesState
  readonly frames: Uint8Array
  /** The last frame, if it has long texts. */
  readonly long: Stream.Stream<Uint8Array> | undefined
}

export const renderItems = Effect.fnUntraced(function* (
  before: FeedFrames.FeedFramesState,
  items: ReadonlyArray<FeedItem>
) {
  const now = yield* DateTime.now
  const rendered: Array<Uint8Array> = []
  let [state, long]: [FeedFrames.FeedFramesState, Stream.Stream<Uint8Array> | undefined] = [before, undefined]
  for (const item of items) {
    const [next, frames] = FeedFrames.step(state, item, now)
    state = next
    for (const frame of frames)
      if (frame.long === undefined) rendered.push(yield* render(frame))
      else long = renderLong(frame)
  }
  const result: RenderedItems = { state, frames: Bytes.concat(rendered), long }
  return result
})

/** Renders a page for the first who comes with such a state, and gives the others the same. */
export const sharedPages = () => {
  const pages = new WeakMap<FeedPage, Map<string, RenderedItems>>()
  return (state: FeedFrames.FeedFramesState, page: FeedPage): Effect.Effect<RenderedItems> => {
    const known = pages.get(page) ?? new Map<string, RenderedItems>()
    const key = keyOf(state)
    const rendered = known.get(key)
    if (rendered !== undefined) return Effect.succeed(rendered)
    return Effect.map(renderItems(state, page.items), (rendered) => {
      pages.set(page, known.set(key, rendered))
      return rendered
    })
  }
}

/** Equal for states of one execution that render alike: what is held stands in the store just before the position. */
const keyOf = ({ held, position, stored }: FeedFrames.FeedFramesState) =>
  `${formatPosition(position)}/${held.stdout.length}/${held.stderr.length}/${stored?.eventId ?? ""}`
