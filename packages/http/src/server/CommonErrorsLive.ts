/** Turns what the router and the handlers raise into declared answers. What is left is a bug: 500, logged, and nothing leaks. */
import { StorageError } from "@fairlead/core/storage/StorageError"
import { ByteSize, Cause, Context, Effect, Layer, Predicate, SchemaAST, SchemaIssue } from "effect"
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
  CommonErrors,
  DeadlineExceeded,
  InternalError,
  MalformedBody,
  NotFound,
  Overloaded,
  RequestInvalid,
  TooMuchAtOnce,
  Unavailable,
  UnsupportedEncoding,
  UnsupportedMediaType
} from "../api/CommonErrors.ts"
import { preferredWait } from "../api/executions/ExecutionRequests.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { withinDeadline } from "./internal/deadline.ts"
import { BodyTaken } from "./Mount.ts"
import { answerBodyAlreadyRead, BodyAlreadyRead } from "./ProblemAnswer.ts"
import * as RequestBody from "./RequestBody.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? unknownMember(issue.ast) : SchemaIssue.defaultLeafHook(issue))
})
/** Members that mean nothing are not offered. */
const unknownMember = (ast: SchemaAST.AST) => {
  const known = SchemaAST.isObjects(ast) ? ast.propertySignatures.filter(({ type }) => !SchemaAST.isUnknown(type)) : []
  const names = known.map(({ name }) => String(name))
  return names.length === 0
    ? "There is no such member"
    : `There is no such member; those that there are: ${names.join(", ")}`
}
/** More would only repeat what the first ones say. */
const maximumIssues = 20

const issues = (error: HttpApiError.HttpApiSchemaError) =>
  format(error.cause.issue)
    .issues.slice(0, maximumIssues)
    .map(({ message, path }) => ({
      path: [
        error.kind.toLowerCase(),
        ...(path ?? []).map((segment) => String(typeof segment === "object" ? segment.key : segment).slice(0, 128))
      ],
      message
    }))

/** The builder reads JSON itself and has no other sign of a body that is none. */
const isMalformed = ({ cause, kind }: HttpApiError.HttpApiSchemaError) =>
  kind === "Payload" && cause.message === "Expected a valid JSON body"

/** A body or header of ours that does not encode is our bug, not the caller's. */
const refuse = <E>(error: E): Effect.Effect<never, E | RequestInvalid | MalformedBody | NotFound> => {
  if (error instanceof StorageError) return Effect.die(error)
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

/** Says in headers what the error says in its body, for clients that read no further. */
const announce = (error: unknown) => {
  if (Predicate.hasProperty(error, "retryAfterSeconds")) return withHeader("retry-after", `${error.retryAfterSeconds}`)
  return error instanceof UnsupportedEncoding ? withHeader("accept-encoding", error.supported.join(", ")) : Effect.void
}
const withHeader = (name: string, value: string) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, name, value))
  )

const reportBodyTaken = Effect.andThen(
  Effect.logError("a body parser in front of the mount read a body and left nothing of it"),
  answerBodyAlreadyRead(new BodyAlreadyRead())
)

/** What the caller asked to wait for comes on top of the time for an answer. */
const millisFor = ({ headers, url }: HttpServerRequest.HttpServerRequest, deadlineMillis: number) => {
  if (!url.includes("wait_seconds") && headers["prefer"] === undefined) return deadlineMillis
  const wanted = /[?&]wait_seconds=(\d{1,2})(?:&|$)/.exec(url)?.[1] ?? preferredWait(headers["prefer"]) ?? 0
  return deadlineMillis + Number(wanted) * 1000
}

export const layer = Layer.effect(
  CommonErrors,
  Effect.map(HttpSettings, ({ limits }) => {
    const bounded = RequestBody.make(limits)
    return CommonErrors.of((answer, { endpoint }) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const millis = millisFor(request, limits.deadlineMillis)
        const late = () => new DeadlineExceeded({ seconds: Math.ceil(millis / 1000), retryAfterSeconds: 1 })
        const maximumBytes = Context.get(endpoint.annotations, BodyLimit)
        const answered = withinDeadline(answer, millis, late).pipe(
          Effect.filterOrFail(
            (response) => response.status !== 415 || response.body._tag !== "Uint8Array",
            () => new UnsupportedMediaType()
          ),
          Effect.catch(refuse),
          Effect.catchDefect(answerDefect(maximumBytes)),
          Effect.tapError(announce)
        )
        if (!HttpMethod.hasBody(endpoint.method)) return answered
        const reading =
          Number(request.headers["content-length"] ?? 0) > maximumBytes
            ? Effect.fail(new BodyTooLarge({ maximumBytes }))
            : answered.pipe(
                Effect.provideService(HttpServerRequest.HttpServerRequest, bounded(request, maximumBytes)),
                Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maximumBytes))
              )
        return Effect.flatMap(BodyTaken, (taken) => (taken ? reportBodyTaken : reading))
      })
    )
  })
)
