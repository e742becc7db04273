/** Cuts answers off whose reader takes nothing any more, on every mount: their memory and their places are for those who read. */
import { Clock, Effect, Stream } from "effect"
import { HttpBody, HttpServerResponse } from "effect/http"

/** A longer body is handed over in pieces of this size. */
const pieceBytes = 64 * 1024

/** The same answer. Of a short one nothing waits here: it is the server's as soon as it is there. */
export const watched = (
  response: HttpServerResponse.HttpServerResponse,
  stalledMillis: number
): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  if (body._tag === "Stream") {
    const { contentLength, contentType, stream } = body
    return withBody(response, HttpBody.stream(cutWhenStalled(stream, stalledMillis), contentType, contentLength))
  }
  if (body._tag !== "Uint8Array" || body.contentLength <= pieceBytes) return response
  const pieces = Stream.suspend(() => Stream.fromIterable(piecesOf(body.body)).pipe(Stream.rechunk(1)))
  const watchedPieces = cutWhenStalled(pieces, stalledMillis)
  return withBody(response, HttpBody.stream(watchedPieces, body.contentType, body.contentLength))
}

const withBody = HttpServerResponse.setBody

const piecesOf = (bytes: Uint8Array) =>
  Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
    bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes)
  )

/** Interrupts whoever takes the pieces, when the next one is not asked for within the time. */
const cutWhenStalled = <E>(stream: Stream.Stream<Uint8Array, E>, stalledMillis: number) =>
  Stream.fromPull(
    Effect.gen(function* () {
      const pull = yield* Stream.toPull(stream)
      const clock = yield* Clock.Clock
      const taker = yield* Effect.withFiber((fiber) => Effect.succeed(fiber))
      let handedOverMillis: number | undefined
      yield* Effect.gen(function* () {
        while (true) {
          yield* Effect.sleep(stalledMillis / 4)
          if (handedOverMillis !== undefined && clock.currentTimeMillisUnsafe() - handedOverMillis >= stalledMillis)
            taker.interruptUnsafe()
        }
      }).pipe(Effect.forkScoped)
      const next = Effect.suspend(() => {
        handedOverMillis = undefined
        return Effect.tap(pull, () => {
          handedOverMillis = clock.currentTimeMillisUnsafe()
          return Effect.void
        })
      })
      // A source that never has to wait would let nobody else be served until it is through.
      return Effect.andThen(Effect.yieldNow, next)
    })
  ).pipe(Stream.scoped)
