/** Answers with the bytes that an execution wrote: a part of them, or all of them as they come. */
import type { Principal } from "@fairlead/core/auth/Principal"
import { Sessions } from "@fairlead/core/auth/sessions/Sessions"
import { ExecutionFeed } from "@fairlead/core/executions/ExecutionFeed"
import type { OutputRange } from "@fairlead/core/executions/ExecutionResult"
import { Executions } from "@fairlead/core/executions/Executions"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import type { OutputName } from "@fairlead/core/runtime/Job"
import { Effect, Stream } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import { OffsetBeyondEnd } from "../../api/executions/ExecutionProblems.ts"
import { maxLogBytes } from "../../api/executions/ExecutionRequests.ts"
import type * as Places from "../internal/Places.ts"
import { SseConnections } from "../sse/SseConnections.ts"

export interface OutputQuestion {
  readonly output: OutputName
  readonly offset: number
  readonly limit: number
  /** Absent: the latest that began. */
  readonly attempt: number | undefined
  /** The bytes were asked for by `Range`, so the answer says which ones these are. */
  readonly ranged: boolean
  readonly contentType: string
}

/** Bytes that one answer carries when the caller does not say. */
const defaultLimit = 1024 ** 2
/** A longer answer is sent while it is read. */
const wholeBytes = 64 * 1024

/** `bytes=from-`, `bytes=from-to` and `bytes=-last`; anything else is passed over, as HTTP asks. */
export const questionOf = (
  query: {
    readonly stream: OutputName
    readonly offset?: number | undefined
    readonly limit?: number | undefined
    readonly attempt?: number | undefined
  },
  headers: { readonly range?: string | undefined; readonly accept?: string | undefined }
): OutputQuestion & { readonly last?: number } => {
  const contentType = /\btext\/plain\b/i.test(headers.accept ?? "")
    ? "text/plain; charset=utf-8"
    : "application/octet-stream"
  const { attempt, limit: asked = defaultLimit, offset = 0, stream: output } = query
  const whole = { output, attempt, offset, limit: asked, contentType }
  const [, from, to] = /^bytes=(\d{0,12})-(\d{0,12})$/.exec(headers.range?.trim() ?? "") ?? []
  if (from === undefined || to === undefined || (from === "" && to === "")) return { ...whole, ranged: false }
  if (from === "") return { ...whole, limit: maxLogBytes, ranged: true, last: Number(to) }
  const limit = to === "" ? maxLogBytes : Number(to) - Number(from) + 1
  if (limit < 1) return { ...whole, ranged: false }
  return { ...whole, offset: Number(from), limit: Math.min(limit, maxLogBytes), ranged: true }
}

export const make = Effect.fnUntraced(function* (longAnswers: Places.Places) {
  const executions = yield* Executions
  const feed = yield* ExecutionFeed
  const sessions = yield* Sessions
  const connections = yield* SseConnections

  const tailOffset = (caller: Principal, id: ExecutionId, { attempt, output }: OutputQuestion, last: number) =>
    Effect.map(executions.output(caller, id, { output, attempt, offset: 0, limit: 1 }), ({ size }) =>
      last === 0 ? size : Math.max(0, size - last)
    )

  /** One part. Fails with `OffsetBeyondEnd` when there is nothing at the offset of a `Range`, or it lies behind the end. */
  const part = Effect.fnUntraced(function* (
    caller: Principal,
    id: ExecutionId,
    { last, ...asked }: OutputQuestion & { readonly last?: number }
  ) {
    const offset = last === undefined ? asked.offset : yield* tailOffset(caller, id, asked, last)
    const { attempt, output, ranged } = asked
    const limit = Math.min(asked.limit, maxLogBytes)
    const range = yield* executions.download(caller, id, { output, attempt, offset, limit })
    if (offset > range.size || (ranged && range.length === 0)) return yield* refuse(offset, range.size)
    const end = offset + range.length
    const contentRange = `bytes ${offset}-${end - 1}/${range.ended ? range.size : "*"}`
    const options = {
      status: ranged ? 206 : 200,
      contentType: asked.contentType,
      headers: {
        ...headersOf(range),
        "accept-ranges": "bytes",
        "x-output-next-offset": `${end}`,
        ...(ranged ? { "content-range": contentRange } : {})
      }
    }
    if (range.length <= wholeBytes)
      return HttpServerResponse.uint8Array(yield* Stream.mkUint8Array(range.bytes), options)
    yield* Effect.orDie(longAnswers.take(caller.userId))
    return HttpServerResponse.stream(range.bytes, { ...options, contentLength: range.length })
  })

  /**
   * Everything from the offset on until the attempt ends. A stream that is cut short - the instance goes away, the credential is
   * revoked, the store fails - is broken off rather than ended, so that nobody takes a part for the whole.
   */
  const follow = Effect.fnUntraced(function* (caller: Principal, id: ExecutionId, asked: OutputQuestion) {
    const { offset, output } = asked
    const range = yield* executions.output(caller, id, { output, attempt: asked.attempt, offset, limit: 1 })
    if (offset > range.size) return yield* refuse(offset, range.size)
    const connection = yield* connections.open(caller.userId, `execution/${id}`)
    const bytes = yield* feed.followOutput(caller, id, { output, attempt: range.attempt, offset })

    const cutShort = Effect.raceFirst(connection.drained.await, sessions.awaitRevocation(caller))
    const body = bytes.pipe(
      Stream.interruptWhen(Effect.andThen(cutShort, Effect.die("the answer is cut short"))),
      (stream) => Stream.unwrap(Effect.as(connection.consume, stream))
    )
    return HttpServerResponse.stream(body, {
      contentType: asked.contentType,
      headers: { ...headersOf(range), "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" }
    })
  })

  return { part, follow }
})

const refuse = (offset: number, size: number) =>
  Effect.andThen(
    HttpEffect.appendPreResponseHandler((_request, response) =>
      Effect.succeed(HttpServerResponse.setHeader(response, "content-range", `bytes */${size}`))
    ),
    new OffsetBeyondEnd({ offset, size })
  )

const headersOf = ({ attempt, ended, last, offset, omission, size, truncated }: Omit<OutputRange, "bytes">) => ({
  "x-output-offset": `${offset}`,
  "x-output-size": `${size}`,
  "x-output-ended": `${ended}`,
  "x-output-truncated": `${truncated}`,
  ...(omission === undefined
    ? {}
    : { "x-output-omitted-at": `${omission.at}`, "x-output-omitted-bytes": `${omission.bytes}` }),
  "x-output-attempt": `${attempt}`,
  "x-output-last-attempt": `${last}`
})
