/** An execution as it happens, across broken connections. */
import type { Connection } from "./Connection.ts"
import type { CallOptions } from "./FairleadOptions.ts"
import type { ExecutionResult, ExecutionsStreamData, ExecutionsStreamResponses } from "./generated/types.gen.ts"
import { bytesOf } from "./internal/base64.ts"
import { chunksOf } from "./internal/chunks.ts"
import { unexpected } from "./internal/errors.ts"
import { persevere } from "./internal/persevere.ts"
import { serverSentEvents } from "./internal/serverSentEvents.ts"

type Wire = ExecutionsStreamResponses[200]
type ControlType =
  | "connected"
  | "subscribed"
  | "status"
  | "heartbeat"
  | "shutdown"
  | "error"
  | "output"
  | "result_stored"

/** Something that happened to the execution, told apart by `event_type`. */
export type ExecutionEvent = Exclude<Wire, { readonly event_type: ControlType }>
/** An attempt ended and another one follows, by `retry` of the request; its output begins anew. */
export type AttemptFailed = Extract<ExecutionEvent, { readonly event_type: "execution_attempt_failed" }>
export type ExecutionStatus = ExecutionResult["status"]

/** A piece of what the script wrote. Pieces of one stream of one attempt follow each other without gaps; attempts follow each other. */
export interface OutputFrame {
  readonly type: "output"
  readonly id: string | undefined
  readonly stream: "stdout" | "stderr"
  /** 1 for the first start of the script. */
  readonly attempt: number
  /** Position of the first byte in its stream. */
  readonly offset: number
  /** Characters are never cut; bytes that are no UTF-8 appear as U+FFFD. */
  readonly text: string
  /** The exact bytes, when they are not UTF-8. */
  readonly bytes: Uint8Array | undefined
}

export type ExecutionFrame =
  /** First of all, and whenever it changes. */
  | { readonly type: "status"; readonly id: string | undefined; readonly status: ExecutionStatus }
  | OutputFrame
  | { readonly type: "event"; readonly id: string | undefined; readonly event: ExecutionEvent }
  /** The last one. */
  | { readonly type: "end"; readonly id: string | undefined; readonly result: ExecutionResult }

export interface FollowOptions extends CallOptions {
  /** The `id` of the last frame that was seen; absent: from the beginning. */
  readonly from?: string | undefined
}

const url: ExecutionsStreamData["url"] = "/api/v1/executions/{execution_id}/stream"
/** The id of the last frame. */
const endId = "end"

/**
 * Everything that happened and happens, in order, nothing missing and nothing twice, ending with `end`. A broken connection is opened
 * again. Leaving the loop closes the connection; the execution goes on. At most 5 of these may be open per user and instance.
 */
export async function* followExecution(
  connection: Connection,
  executionId: string,
  { from, signal }: FollowOptions = {}
): AsyncGenerator<ExecutionFrame, void, undefined> {
  let last = from
  let status: ExecutionStatus | undefined

  const open = async function* (): AsyncGenerator<ExecutionFrame | undefined, boolean, undefined> {
    if (last === endId) return true
    const body = await streamBody(connection, executionId, last, signal)
    if (body === null) return true
    for await (const { data, id } of serverSentEvents(chunksOf(body, signal))) {
      last = id ?? last
      const wire = parse(data)
      if (wire.event_type === "heartbeat") yield undefined
      for (const frame of framesOf(wire, last, status)) {
        if (frame.type === "status") {
          if (frame.status === status) continue
          status = frame.status
        }
        yield frame
      }
    }
    return last === endId
  }

  yield* persevere(open, signal)
}

const streamBody = async (
  { http }: Connection,
  executionId: string,
  last: string | undefined,
  signal: AbortSignal | undefined
) => {
  const { data } = await http.get<{ 200: ReadableStream<Uint8Array> | null }, unknown, true, "fields">({
    url,
    path: { execution_id: executionId },
    headers: { accept: "text/event-stream", ...(last === undefined ? {} : { "last-event-id": last }) },
    parseAs: "stream",
    responseStyle: "fields",
    ...(signal === undefined ? {} : { signal })
  })
  return data
}

const parse = (data: string): Wire => {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw unexpected(cause)
  }
}

/** `known` is the status that the reader was told last; events of the past say nothing about an execution that has ended. */
const framesOf = (
  wire: Wire,
  id: string | undefined,
  known: ExecutionStatus | undefined
): ReadonlyArray<ExecutionFrame> => {
  switch (wire.event_type) {
    case "connected":
    case "subscribed":
    case "heartbeat":
    case "shutdown":
    case "error":
      return []
    case "status":
      return [{ type: "status", id, status: wire.status }]
    case "output":
      return [outputOf(wire, id)]
    case "result_stored": {
      if (!("result" in wire)) return []
      const { result } = wire
      return [
        { type: "status", id, status: result.status },
        { type: "end", id, result }
      ]
    }
    case "execution_running": {
      const started = known === "queued" || known === "scheduled"
      return [
        { type: "event", id, event: wire },
        ...(started ? [{ type: "status", id, status: "running" } as const] : [])
      ]
    }
    case "execution_attempt_failed": {
      const again = known === "running" || known === "scheduled"
      return [{ type: "event", id, event: wire }, ...(again ? [{ type: "status", id, status: "queued" } as const] : [])]
    }
    default:
      return [{ type: "event", id, event: wire }]
  }
}

const outputOf = (wire: Extract<Wire, { readonly event_type: "output" }>, id: string | undefined): OutputFrame => ({
  type: "output",
  id,
  stream: wire.stream,
  attempt: wire.attempt,
  offset: wire.offset,
  text: wire.data,
  bytes: wire.data_base64 === undefined ? undefined : bytesOf(wire.data_base64)
})
