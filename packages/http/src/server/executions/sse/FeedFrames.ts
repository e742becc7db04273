/**
 * Turns the feed of an execution into the frames of its event stream. Each frame's id says exactly what has been sent: bytes
 * that are held back because their character is not complete are behind it, so a reader who resumes there gets them again.
 */
import type { DomainEventTag } from "@fairlead/core/events/DomainEvent"
import type { NewEvent } from "@fairlead/core/events/StoredEvent"
import type { FeedItem, FeedPosition } from "@fairlead/core/executions/FeedPage"
import { formatPosition } from "@fairlead/core/executions/feedPositionText"
import { incompleteTail } from "@fairlead/core/executions/wholeCharacters"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import type { OutputName } from "@fairlead/core/runtime/Job"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Bytes, type DateTime } from "effect"
import { Base64 } from "effect/encoding"
import type { ControlFrame } from "../../../api/executions/ExecutionFrames.ts"
import type { LongMembers } from "../../internal/jsonPieces.ts"
import { longMembers, resultView } from "../executionViews.ts"
import { decodeWhole } from "./decodeWhole.ts"

export interface Frame {
  /** Where a reader goes on behind this frame; absent for frames that a reader may lose. */
  readonly id?: string | undefined
  readonly content:
    | { readonly _tag: "Control"; readonly frame: ControlFrame }
    | { readonly _tag: "Event"; readonly event: NewEvent }
  /** Texts of the frame's result that are too long for one piece; the frame has none in their place. */
  readonly long?: LongMembers<StorageError> | undefined
}

/** Id of the last frame: there is nothing behind it. */
export const endId = "end"

export interface FeedFramesState {
  readonly executionId: ExecutionId
  /** Of the last item. */
  readonly position: FeedPosition
  /** Bytes of the current attempt that wait for the rest of their character. */
  readonly held: Readonly<Record<OutputName, Uint8Array>>
  /** Seen and kept for the end, where it carries the result. */
  readonly stored: NewEvent | undefined
}

type Step = readonly [FeedFramesState, ReadonlyArray<Frame>]

const nothing = new Uint8Array()
const outputs: ReadonlyArray<OutputName> = ["stdout", "stderr"]

export const initial = (executionId: ExecutionId): FeedFramesState => ({
  executionId,
  position: { version: 0, attempt: 0, stdout: 0, stderr: 0 },
  held: { stdout: nothing, stderr: nothing },
  stored: undefined
})

/** The frames for one item of the feed. `at` is the time for frames that have none of their own. */
export const step = (before: FeedFramesState, item: FeedItem, at: DateTime.Utc): Step => {
  const [state, flushed] = endsAttempt(before, item) ? flush(before, at) : [before, []]
  const moved = { ...state, position: item.position }
  switch (item._tag) {
    case "Status":
      return [moved, [control(state.executionId, at, { eventType: "status", status: item.status })]]
    case "Output": {
      const [next, frames] = output(moved, item, at)
      return [next, [...flushed, ...frames]]
    }
    case "Event":
      if (item.event.event._tag === "ResultStored") return [{ ...moved, stored: item.event }, flushed]
      return [moved, [...flushed, relayed(moved, item.event)]]
    case "End": {
      const result = resultView(item.result)
      const frame = { eventType: "result_stored" as const, ...factsOf(state.stored), result }
      const last = control(state.executionId, state.stored?.at ?? at, frame, endId)
      return [moved, [...flushed, { ...last, long: longMembers(item.result) }]]
    }
  }
}

/** No output of the attempt follows any of these. */
const lastWords: ReadonlySet<DomainEventTag> = new Set([
  "ExecutionAttemptFailed",
  "ExecutionCompleted",
  "ExecutionFailed",
  "ExecutionTimeout",
  "ExecutionCancelled",
  "ResultStored"
])
const endsAttempt = ({ position }: FeedFramesState, item: FeedItem) =>
  item._tag === "End" ||
  (item.position.attempt !== position.attempt && item._tag !== "Status") ||
  (item._tag === "Event" && lastWords.has(item.event.event._tag))

const output = (
  state: FeedFramesState,
  { attempt, bytes: chunk, offset, output: name }: Extract<FeedItem, { readonly _tag: "Output" }>,
  at: DateTime.Utc
): Step => {
  const held = state.held[name]
  const bytes = held.length === 0 ? chunk : Bytes.concat([held, chunk])
  const cut = bytes.length - incompleteTail(bytes)
  const next = { ...state, held: { ...state.held, [name]: bytes.subarray(cut) } }
  if (cut === 0) return [next, []]
  return [next, [outputFrame(next, at, name, attempt, offset - held.length, bytes.subarray(0, cut))]]
}

/** Sends what waits for a rest that will not come. */
const flush = (before: FeedFramesState, at: DateTime.Utc): Step => {
  const frames: Array<Frame> = []
  let state = before
  for (const name of outputs) {
    const bytes = state.held[name]
    if (bytes.length === 0) continue
    const { attempt, [name]: end } = state.position
    state = { ...state, held: { ...state.held, [name]: nothing } }
    frames.push(outputFrame(state, at, name, attempt, end - bytes.length, bytes))
  }
  return [state, frames]
}

const outputFrame = (
  state: FeedFramesState,
  at: DateTime.Utc,
  stream: OutputName,
  attempt: number,
  offset: number,
  bytes: Uint8Array
): Frame => {
  const { exact, text } = decodeWhole(bytes)
  const dataBase64 = exact ? {} : { dataBase64: Base64.encode(bytes) }
  const frame = { eventType: "output" as const, stream, attempt, offset, data: text, ...dataBase64 }
  return control(state.executionId, at, frame, idOf(state))
}

const relayed = (state: FeedFramesState, event: NewEvent): Frame => ({
  id: idOf(state),
  content: { _tag: "Event", event }
})

const idOf = ({ held, position }: FeedFramesState) =>
  formatPosition({
    ...position,
    stdout: position.stdout - held.stdout.length,
    stderr: position.stderr - held.stderr.length
  })

/** Everything of a frame but what all frames have. */
type Bare<F> = F extends ControlFrame ? Omit<F, "executionId" | "timestamp"> : never

export const control = (
  executionId: ExecutionId,
  timestamp: DateTime.Utc,
  bare: Bare<ControlFrame>,
  id?: string
): Frame => ({
  id,
  content: { _tag: "Control", frame: { ...bare, executionId, timestamp } }
})

const factsOf = (stored: NewEvent | undefined) => {
  if (stored === undefined || stored.event._tag !== "ResultStored") return {}
  const { sizeBytes, storagePath, storageType } = stored.event
  return { eventId: stored.eventId, sizeBytes, storagePath, storageType }
}
