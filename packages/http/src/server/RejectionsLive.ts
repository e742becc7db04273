/** Turns what the router and the handlers raise into declared answers. What is left is a bug: 500, logged, and nothing leaks. */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { ByteSize, Cause, Context, Effect, Layer, Predicate, SchemaIssue } from "effect"
import {
  HttpEffect,
  HttpIncomingMessage,
  HttpMethod,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { HttpApiError } from "effect/http-api"
import {
  BodyLimit,
  BodyTooComplex,
  BodyTooDeep,
  BodyTooLarge,
  InternalError,
  MalformedBody,
  NotFound,
  Overloaded,
  Rejections,
  RequestInvalid,
  TooMuchAtOnce,
  Unavailable,
  UnsupportedEncoding,
  UnsupportedMediaType
} from "../api/Rejections.ts"
import { isDeeperThan } from "./internal/jsonDepth.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()
/** Nothing of the contract nests deeper than ten levels; what walks values by recursion must not meet thousands. */
const maximumDepth = 64
/** More would only repeat what the first ones say. */
const maximumIssues = 20

const issues = (error: HttpApiError.HttpApiSchemaError) =>
  format(error.cause.issue)
    .issues.slice(0, maximumIssues)
    .map(({ message, path }) => ({
      path: [
        error.kind.toLowerCase(),
        ...(path ?? []).map((segment) => String(typeof segment === "object" ? segment.key : segment))
      ],
      message
    }))

/** The builder reads JSON itself and has no other sign of a body that is none. */
const isMalformed = ({ cause, kind }: HttpApiError.HttpApiSchemaError) =>
  kind === "Payload" && cause.message === "Expected a valid JSON body"

/** A body or header of ours that does not encode is our bug, not the caller's. */
const refuse = <E>(error: E): Effect.Effect<never, E | RequestInvalid | MalformedBody | NotFound> => {
  if (!HttpApiError.HttpApiSchemaError.is(error)) return Effect.fail(error)
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
  if (error.kind === "Params") return Effect.fail(new NotFound())
  return Effect.fail(isMalformed(error) ? new MalformedBody() : new RequestInvalid({ issues: issues(error) }))
}

const isReadFailure = (
  defect: unknown
): defect is HttpServerError.HttpServerError & {
  readonly reason: HttpServerError.RequestParseError
} => HttpServerError.isHttpServerError(defect) && defect.reason._tag === "RequestParseError"

/** What is raised where no error can be declared: while a body is read, and by handlers that find no place. */
type Refusal =
  | BodyTooComplex
  | BodyTooDeep
  | BodyTooLarge
  | MalformedBody
  | Overloaded
  | TooMuchAtOnce
  | UnsupportedEncoding
const refusals = [
  BodyTooComplex,
  BodyTooDeep,
  BodyTooLarge,
  MalformedBody,
  Overloaded,
  TooMuchAtOnce,
  UnsupportedEncoding
]
const isRefusal = (defect: unknown): defect is Refusal => refusals.some((kind) => defect instanceof kind)

const answerDefect =
  (maximumBytes: number) =>
  (defect: unknown): Effect.Effect<never, Refusal | Unavailable | InternalError> => {
    if (HttpServerResponse.isHttpServerResponse(defect)) return Effect.die(defect)
    if (isRefusal(defect)) return Effect.fail(defect)
    if (defect instanceof StorageError && defect.retryable)
      return Effect.fail(new Unavailable({ retryAfterSeconds: 1 }))
    if (isReadFailure(defect))
      return Effect.fail(
        defect.reason.reason === "BodyTooLarge" ? new BodyTooLarge({ maximumBytes }) : new MalformedBody()
      )
    return Effect.andThen(Effect.logError("request failed", Cause.die(defect)), Effect.fail(new InternalError()))
  }

/** The same request; reading a JSON body that nests too deep dies, because the builder lets a body fail in no other way. */
const ofBoundedDepth = (request: HttpServerRequest.HttpServerRequest): HttpServerRequest.HttpServerRequest =>
  /^[^;]*json|^$/i.test(request.headers["content-type"] ?? "")
    ? Object.create(request, {
        text: {
          get: () =>
            Effect.tap(request.text, (text) =>
              isDeeperThan(maximumDepth, text) ? Effect.die(new BodyTooDeep({ maximumDepth })) : Effect.void
            )
        }
      })
    : request

/** Says in the header what the error says in its body, for clients that read no further. */
const announceRetry = (error: unknown) =>
  Predicate.hasProperty(error, "retryAfterSeconds")
    ? HttpEffect.appendPreResponseHandler((_request, response) =>
        Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", `${error.retryAfterSeconds}`))
      )
    : Effect.void

export const layer = Layer.succeed(
  Rejections,
  Rejections.of((answer, { endpoint }) => {
    const maximumBytes = Context.get(endpoint.annotations, BodyLimit)
    const answered = answer.pipe(
      Effect.filterOrFail(
        (response) => response.status !== 415 || response.body._tag !== "Uint8Array",
        () => new UnsupportedMediaType()
      ),
      Effect.catch(refuse),
      Effect.catchDefect(answerDefect(maximumBytes)),
      Effect.tapError(announceRetry)
    )
    if (!HttpMethod.hasBody(endpoint.method)) return answered
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Number(request.headers["content-length"] ?? 0) > maximumBytes
        ? Effect.fail(new BodyTooLarge({ maximumBytes }))
        : answered.pipe(
            Effect.provideService(HttpServerRequest.HttpServerRequest, ofBoundedDepth(request)),
            Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maximumBytes))
          )
    )
  })
)
