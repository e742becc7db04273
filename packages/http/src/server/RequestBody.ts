/**
 * Reads the bodies of requests within bounds: so many bytes of all callers and of each are in memory, one is parsed at a time, and what
 * would take long to parse is refused as soon as enough of it has come to tell. Undoes gzip and Brotli.
 */
import { Bytes, Context, Effect, Option, Predicate, Scope, Semaphore, Stream } from "effect"
import { type HttpServerRequest, UrlParams } from "effect/http"
import { CurrentPrincipal } from "../api/Access.ts"
import { BodyTooComplex, BodyTooDeep, BodyTooLarge, MalformedBody, UnsupportedEncoding } from "../api/CommonErrors.ts"
import type { RequestLimits } from "./HttpSettings.ts"
import { BoundedRequest } from "./internal/BoundedRequest.ts"
import { decompressed, supported } from "./internal/decompression.ts"
import * as JsonShape from "./internal/jsonShape.ts"
import * as Places from "./internal/Places.ts"

type Request = HttpServerRequest.HttpServerRequest

/** Nothing of the contract nests deeper than ten levels; what walks values by recursion must not meet thousands. */
const maximumDepth = 64
/** Far more than any call takes, and few enough to be parsed and checked within milliseconds. */
const maximumValues = 10_000
/** Bodies up to this size are looked at without a turn. */
const smallBytes = 16 * 1024

/** Refusals are defects, because the builder lets a body fail in no other way. */
export const make = ({ bodyBytes }: RequestLimits) => {
  const places = Places.make("bytes of bodies", bodyBytes)
  const turn = Semaphore.makeUnsafe(1)

  /** Held until the request has been answered, for as long as the body may be kept. */
  const assigned = (request: Request, size: number) =>
    Effect.contextWith((context: Context.Context<never>) =>
      places
        .take(callerOf(context, request), size)
        .pipe(Effect.orDie, Effect.provideService(Scope.Scope, Context.getUnsafe(context, Scope.Scope)))
    )

  /** The bytes as they were before somebody encoded them. */
  const bytesOf = (request: Request, maximumBytes: number, inspect: Inspect) => {
    const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity"
    const came = atMost(bodyOf(request), maximumBytes)
    if (encoding === "identity" || encoding === "") return gathered(came, inspect)
    const malformed = () => Effect.die(new MalformedBody())
    const plain = decompressed(Stream.orDie(came), encoding, (error) => error)
    return plain === undefined
      ? Effect.die(new UnsupportedEncoding({ supported }))
      : Effect.catch(gathered(atMost(plain, maximumBytes), inspect), malformed)
  }

  /** The loop turns between two large bodies, so that others are answered meanwhile. */
  const inTurn = <A, E, R>(size: number, look: Effect.Effect<A, E, R>) =>
    size <= smallBytes ? look : turn.withPermit(Effect.andThen(Effect.yieldNow, look))

  const read = <A>(
    request: Request,
    maximumBytes: number,
    inspect: Inspect,
    parse: (bytes: ArrayBuffer | Uint8Array) => A
  ) => {
    const size = announcedBytes(request, maximumBytes)
    // Bytes of a small body are not worth counting.
    if (size <= smallBytes)
      return Effect.flatMap(request.arrayBuffer, (bytes) =>
        Effect.map(inspect(new Uint8Array(bytes)), () => parse(bytes))
      )
    return Effect.gen(function* () {
      yield* assigned(request, size)
      const bytes = yield* bytesOf(request, maximumBytes, inspect)
      return yield* inTurn(
        bytes.byteLength,
        Effect.sync(() => parse(bytes))
      )
    })
  }

  /** The same request, whose body is read that way as JSON, text or a form. */
  return (request: Request, maximumBytes: number): Request =>
    new BoundedRequest(request, {
      text: Effect.suspend(() => {
        const isJson = /^[^;]*json|^$/i.test(request.headers["content-type"] ?? "")
        return read(request, maximumBytes, isJson ? jsonInspection() : () => Effect.void, (bytes) => text.decode(bytes))
      }),
      urlParams: Effect.suspend(() =>
        read(request, maximumBytes, formInspection(), (bytes) =>
          UrlParams.fromInput(new URLSearchParams(form.decode(bytes).replace(/^\?/, "%3F")))
        )
      )
    })
}

const text = new TextDecoder()
const form = new TextDecoder("utf-8", { ignoreBOM: true })

/** A web request without a body has no stream either. */
const bodyOf = (request: Request) =>
  Predicate.hasProperty(request.source, "body") && request.source.body === null ? Stream.empty : request.stream

/** Of a body that does not say it, or is encoded: the most that it may have. */
const announcedBytes = ({ headers }: Request, maximumBytes: number) =>
  headers["content-length"] === undefined || headers["content-encoding"] !== undefined
    ? maximumBytes
    : Number(headers["content-length"])

/** The user, or, before anybody is known, the address. */
const callerOf = (context: Context.Context<never>, request: Request) =>
  Option.match(Context.getOption(context, CurrentPrincipal), {
    onNone: () => Option.getOrElse(request.remoteAddress, () => "nobody"),
    onSome: ({ userId }): string => userId
  })

/** Looks at a piece of a body as it comes. A refusal is a defect. */
type Inspect = (piece: Uint8Array) => Effect.Effect<void>

const jsonInspection = (): Inspect => {
  const scan = JsonShape.scanner({ depth: maximumDepth, values: maximumValues })
  return (piece) => {
    const { depth, values } = scan(piece)
    if (depth > maximumDepth) return Effect.die(new BodyTooDeep({ maximumDepth }))
    return values > maximumValues ? tooComplex : Effect.void
  }
}

const formInspection = (): Inspect => {
  let fields = 1
  return (piece) => {
    for (let at = piece.indexOf(ampersand); at !== -1 && fields <= maximumValues; at = piece.indexOf(ampersand, at + 1))
      fields++
    return fields > maximumValues ? tooComplex : Effect.void
  }
}
const ampersand = 0x26
const tooComplex = Effect.suspend(() => Effect.die(new BodyTooComplex({ maximumValues })))

const atMost = <E>(bytes: Stream.Stream<Uint8Array, E>, maximumBytes: number): Stream.Stream<Uint8Array, E> => {
  let seen = 0
  return Stream.tap(bytes, (piece) => {
    seen += piece.length
    return seen > maximumBytes ? Effect.die(new BodyTooLarge({ maximumBytes })) : Effect.void
  })
}

const gathered = <E>(bytes: Stream.Stream<Uint8Array, E>, inspect: Inspect): Effect.Effect<Uint8Array, E> =>
  Effect.map(Stream.runCollect(Stream.tap(bytes, inspect)), (pieces) => Bytes.concat(pieces))
