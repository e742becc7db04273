/** Answers with results: in one piece, or, when a script wrote much, as a stream that reads its output while it is sent. */
import type { Principal } from "@fairlead/core/auth/Principal"
import type { ExecutionResult } from "@fairlead/core/executions/ExecutionResult"
import { isTerminal } from "@fairlead/core/executions/ExecutionStatus"
import { Executions } from "@fairlead/core/executions/Executions"
import type { ExecutionId } from "@fairlead/core/ids/ExecutionId"
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Effect, Option, Schema, type Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { CurrentPrincipal } from "../../api/Access.ts"
import { Accepted, ResultView } from "../../api/executions/ExecutionViews.ts"
import { HttpSettings } from "../HttpSettings.ts"
import { answered } from "../internal/answered.ts"
import { jsonPieces } from "../internal/jsonPieces.ts"
import * as Places from "../internal/Places.ts"
import { SseConnections } from "../sse/SseConnections.ts"
import { longMembers, resultView } from "./executionViews.ts"

const encodeResult = Schema.encodeEffect(ResultView)
const encodeAccepted = Schema.encodeEffect(Accepted)

/** What a submission made, as it is answered when nobody waits. */
type Made = Omit<typeof Accepted.Type, "result">

export const make = Effect.fnUntraced(function* (longAnswers: Places.Places) {
  const executions = yield* Executions
  const { drained } = yield* SseConnections
  const { limits } = yield* HttpSettings
  const heldRequests = Places.make("held requests", limits.heldRequests)

  /** Waits for the end as long as the client asks, and this instance is there; then answers with what there is. */
  const settled = (caller: Principal, id: ExecutionId, waitSeconds: number) =>
    waitSeconds === 0
      ? executions.result(caller, id, 0)
      : Effect.raceFirst(
          executions.result(caller, id, waitSeconds * 1000),
          Effect.andThen(drained, executions.result(caller, id, 0))
        )

  const result = Effect.fnUntraced(function* (id: ExecutionId, waitSeconds: number, attempt: number | undefined) {
    const caller = yield* CurrentPrincipal
    const asked =
      attempt === undefined ? settled(caller, id, waitSeconds) : executions.attemptResult(caller, id, attempt)
    const held = waitSeconds === 0 ? asked : Effect.andThen(Effect.orDie(heldRequests.take(caller.userId)), asked)
    const found = yield* Effect.scoped(held)
    const long = longMembers(found)
    if (long === undefined) return answered(ResultView, resultView(found))
    yield* Effect.orDie(longAnswers.take(caller.userId))
    return streamed(jsonPieces(yield* Effect.orDie(encodeResult(resultView(found))), long))
  })

  /** A fresh execution once it has ended, or as it is when the time is up; none if somebody deletes it, or there is no place for one who waits. */
  const awaited = Effect.fnUntraced(
    function* (caller: Principal, id: ExecutionId, waitSeconds: number) {
      if (Option.isNone(yield* Effect.option(heldRequests.take(caller.userId)))) return undefined
      return yield* settled(caller, id, waitSeconds)
    },
    Effect.scoped,
    Effect.catchTag("ExecutionNotFound", () => Effect.undefined)
  )

  /** The answer to a submission, which is accepted whatever becomes of the wait. `applied`: what of the request's `Prefer` was done. */
  const accepted = Effect.fnUntraced(function* (made: Made, waitSeconds: number, applied: string | undefined) {
    const caller = yield* CurrentPrincipal
    const found = waitSeconds === 0 ? undefined : yield* awaited(caller, made.executionId, waitSeconds)
    return preferenceApplied(
      found === undefined ? answered(Accepted, made) : yield* ended(caller, made, found),
      applied
    )
  })

  /** With its result, if the execution has ended. */
  const ended = Effect.fnUntraced(function* (caller: Principal, made: Made, found: ExecutionResult) {
    const { status } = found.execution
    if (!isTerminal(status)) return answered(Accepted, { ...made, status })
    const long = longMembers(found)
    const body = { ...made, status, result: resultView(found) }
    if (long === undefined) return answered(Accepted, body)
    // Who has too many long answers under way is told how it ended, and reads the result later.
    if (Option.isNone(yield* Effect.option(longAnswers.take(caller.userId))))
      return answered(Accepted, { ...made, status })
    return streamed(jsonPieces(yield* Effect.orDie(encodeAccepted(body)), long))
  })

  return { result, accepted }
})

const streamed = (body: Stream.Stream<Uint8Array, StorageError>) =>
  HttpServerResponse.stream(body, { contentType: "application/json" })

const preferenceApplied = (answer: HttpServerResponse.HttpServerResponse, applied: string | undefined) =>
  applied === undefined ? answer : HttpServerResponse.setHeader(answer, "preference-applied", applied)
