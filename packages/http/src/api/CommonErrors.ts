/** Answers that any endpoint may give: the request does not fit the contract, the store is away, or we have a bug. */
import type { StorageError } from "@fairlead/core/storage/StorageError"
import { Context, Schema } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { problem } from "./Problem.ts"

export class RequestInvalid extends Schema.TaggedError<RequestInvalid>()("RequestInvalid", {
  /** `path` starts with query, headers or payload. */
  issues: Schema.Array(Schema.Struct({ path: Schema.Array(Schema.String), message: Schema.String }))
}) {}
export class BodyTooDeep extends Schema.TaggedError<BodyTooDeep>()("BodyTooDeep", { maximumDepth: Schema.Int }) {}
export class MalformedBody extends Schema.TaggedError<MalformedBody>()("MalformedBody", {}) {}
/** Also for a path whose parameter cannot be one, such as an id that is no UUID: such a thing does not exist. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {}) {}
export class BodyTooLarge extends Schema.TaggedError<BodyTooLarge>()("BodyTooLarge", { maximumBytes: Schema.Int }) {}
export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()("UnsupportedMediaType", {}) {}
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {}) {}
/** JSON with more values, or a form with more fields, than any call takes. */
export class BodyTooComplex extends Schema.TaggedError<BodyTooComplex>()("BodyTooComplex", {
  maximumValues: Schema.Int
}) {}
export class UnsupportedEncoding extends Schema.TaggedError<UnsupportedEncoding>()("UnsupportedEncoding", {
  supported: Schema.Array(Schema.String)
}) {}
/** What there is only so much of at once. */
export const Resource = Schema.Literals([
  "long answers",
  "bytes of answers",
  "held requests",
  "streams",
  "bytes of bodies"
])
export type Resource = typeof Resource.Type
/** One caller has all in hand that one caller may have. */
export class TooMuchAtOnce extends Schema.TaggedError<TooMuchAtOnce>()("TooMuchAtOnce", {
  resource: Resource,
  maximum: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {}
/** All callers together have all in hand that this instance gives. */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  resource: Resource,
  retryAfterSeconds: Schema.Int
}) {}
/** What the answer depends on did not answer in time. */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>()("DeadlineExceeded", {
  seconds: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {}
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { retryAfterSeconds: Schema.Int }) {}

/** Annotate an endpoint to let it take more or less than 1 MiB. */
export const BodyLimit = Context.Reference<number>("@fairlead/http/api/BodyLimit", { defaultValue: () => 1024 * 1024 })

export const notFound = problem(NotFound, {
  status: 404,
  title: "Not found",
  detail: () => "There is nothing at this address."
})
export const bodyTooLarge = problem(BodyTooLarge, {
  status: 413,
  title: "Body too large",
  detail: ({ maximumBytes }) => `A body may hold at most ${maximumBytes} bytes here.`
})
export const malformedBody = problem(MalformedBody, {
  status: 400,
  title: "Malformed body",
  detail: () => "The body cannot be read as what its content type says."
})
export const internalError = problem(InternalError, {
  status: 500,
  title: "Internal error",
  detail: () => "This is a fault of the server; the request id leads to it in the log."
})

const awayProblem = problem(Unavailable, {
  status: 503,
  title: "Try again",
  detail: ({ retryAfterSeconds }) => `Storage is away; try again in ${retryAfterSeconds} s.`
})
/** Handlers may fail with the error of a store: it is answered as `Unavailable` when it passes by itself, and as a bug of ours when not. */
export const unavailable = Schema.make<Schema.Codec<Unavailable | StorageError, unknown>>(awayProblem.ast)

/** Outermost on every group. An error that carries `retryAfterSeconds` is answered with a `Retry-After` header too. */
export class CommonErrors extends HttpApiMiddleware.Service<CommonErrors>()("@fairlead/http/api/CommonErrors", {
  error: [
    malformedBody,
    problem(BodyTooDeep, {
      status: 400,
      title: "Body too deep",
      detail: ({ maximumDepth }) => `Lists and objects of a JSON body may be nested at most ${maximumDepth} levels.`
    }),
    notFound,
    bodyTooLarge,
    problem(BodyTooComplex, {
      status: 400,
      title: "Body too complex",
      detail: ({ maximumValues }) => `A body may hold at most ${maximumValues} values.`
    }),
    problem(UnsupportedEncoding, {
      status: 415,
      title: "Unsupported content encoding",
      detail: ({ supported }) => `A body may be encoded as ${supported.join(" or ")}, once; or not at all.`
    }),
    problem(TooMuchAtOnce, {
      status: 429,
      title: "Too much at once",
      detail: ({ maximum, resource, retryAfterSeconds }) =>
        `You have ${maximum} ${resource} in hand here already, or would have more. Wait for them, or try again in ${retryAfterSeconds} s.`
    }),
    problem(Overloaded, {
      status: 503,
      title: "Overloaded",
      detail: ({ resource, retryAfterSeconds }) =>
        `This instance has no room for more ${resource}; try again in ${retryAfterSeconds} s.`
    }),
    problem(DeadlineExceeded, {
      status: 503,
      title: "No answer in time",
      detail: ({ retryAfterSeconds, seconds }) =>
        `What this call depends on did not answer within ${seconds} s; try again in ${retryAfterSeconds} s. If the call was to change something, it may have done so: look first, or repeat it with the same Idempotency-Key.`
    }),
    problem(UnsupportedMediaType, {
      status: 415,
      title: "Unsupported media type",
      detail: () => "This call does not take a body of this content type."
    }),
    problem(RequestInvalid, {
      status: 422,
      title: "Request invalid",
      detail: ({ issues }) => issues.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")
    }),
    internalError,
    unavailable
  ]
}) {}
