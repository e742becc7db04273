/** Cuts answers off whose reader takes nothing any more, on every mount: their memory and their nodes are for those who read. */
import { Clock, Effect, type Fiber, Scope, Stream } from "effect"
import { HttpBody, HttpServerResponse } from "effect/http"

/** A longer body is handed over in pieces of this size. */
const pieceBytes = 64 * 1024
/** After so much of an answer the event loop turns, and before it begins. */
const turnBytes = 16 * 1024

/** One who takes the pieces of an answer. */
interface Taker {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** Since when the last piece is in its hands; `undefined` while it waits for one. */
  handedOverMillis: number | undefined
}

/**
 * Gives the same answer, whose reader is cut off when it has not asked for the next piece within the time, or a quarter more. Of a short
 * one nothing waits here: it is the server's as soon as it is there. One timer serves all, until the scope closes.
 */
export const make = Effect.fnUntraced(function* (stalledMillis: number) {
  const clock = yield* Clock.Clock
  const takers = new Set<Taker>()

  const sweep = Effect.sync(() => {
    const latest = clock.currentTimeMillisUnsafe() - stalledMillis
    for (const { fiber, handedOverMillis } of takers)
      if (handedOverMillis !== undefined && handedOverMillis <= latest) fiber.interruptUnsafe()
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(sweep, stalledMillis / 4)))

  const watched = <E>(stream: Stream.Stream<Uint8Array, E>) =>
    Stream.transformPull(stream, (pull, scope) =>
      Effect.withFiber((fiber) => {
        const taker: Taker = { fiber, handedOverMillis: undefined }
        takers.add(taker)
        let bytesInTurn = turnBytes
        const next = Effect.map(pull, (pieces) => {
          for (const { length } of pieces) bytesInTurn += length
          taker.handedOverMillis = clock.currentTimeMillisUnsafe()
          return pieces
        })
        const watchedPull = Effect.suspend(() => {
          taker.handedOverMillis = undefined
          if (bytesInTurn < turnBytes) return next
          // A source that never has to wait would let nobody else be served until it is through.
          bytesInTurn = 0
          return Effect.andThen(Effect.yieldNow, next)
        })
        const leave = Effect.sync(() => void takers.delete(taker))
        return Effect.as(Scope.addFinalizer(scope, leave), watchedPull)
      })
    )

  return (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
    const { body } = response
    if (body._tag === "Stream") {
      const { contentLength, contentType, stream } = body
      return withBody(response, HttpBody.stream(watched(stream), contentType, contentLength))
    }
    if (body._tag !== "Uint8Array" || body.contentLength <= pieceBytes) return response
    const pieces = Stream.suspend(() => Stream.fromIterable(piecesOf(body.body)).pipe(Stream.rechunk(1)))
    return withBody(response, HttpBody.stream(watched(pieces), body.contentType, body.contentLength))
  }
})

const withBody = HttpServerResponse.setBody

const piecesOf = (bytes: Uint8Array) =>
  Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
    bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes)
  )
