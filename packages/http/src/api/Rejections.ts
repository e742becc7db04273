/** Answers that any endpoint may give: the request does not fit the contract, the store is away, or we have a bug. */
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

/** Outermost on every group. An error that carries `retryAfterSeconds` is answered with a `Retry-After` header too. */
export class Rejections extends HttpApiMiddleware.Service<Rejections>()("@fairlead/http/api/Rejections", {
  error: [
    malformedBody,
    problem(BodyTooDeep, {
      status: 400,
      title: "Body too deep",
      detail: ({ maximumDepth }) => `Lists and objects of a JSON body may be nested at most ${maximumDepth} levels.`
    }),
    notFound,
    bodyTooLarge,
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
    problem(Unavailable, {
      status: 503,
      title: "Try again",
      detail: ({ retryAfterSeconds }) => `Storage is away; try again in ${retryAfterSeconds} s.`
    })
  ]
}) {}
