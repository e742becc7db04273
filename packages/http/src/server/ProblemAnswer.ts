/** Problems of requests that reach no endpoint, in the same shape as those that do. */
import { Effect, Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { bodyTooLarge, internalError, malformedBody, notFound } from "../api/CommonErrors.ts"
import { problem } from "../api/Problem.ts"

export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()("MethodNotAllowed", {
  allowed: Schema.Array(Schema.String)
}) {}
/** The request was sent to a name that is none of ours. */
export class HostNotAllowed extends Schema.TaggedError<HostNotAllowed>()("HostNotAllowed", { host: Schema.String }) {}
/** A page of another site asks for a change. */
export class CrossSiteRejected extends Schema.TaggedError<CrossSiteRejected>()("CrossSiteRejected", {}) {}
/** What is wrong is how this API is mounted, not the request. */
export class BodyAlreadyRead extends Schema.TaggedError<BodyAlreadyRead>()("BodyAlreadyRead", {}) {}
export class UriTooLong extends Schema.TaggedError<UriTooLong>()("UriTooLong", { maximumBytes: Schema.Int }) {}

/** Answers with `schema` as problem+json. The status is the schema's own, given again because schemas keep it to themselves. */
const answer = <E>(schema: Schema.Codec<E, unknown>, status: number) => {
  const encode = Schema.encodeEffect(schema)
  return (error: E, headers: Readonly<Record<string, string>> = {}) =>
    Effect.map(Effect.orDie(encode(error)), (body) =>
      HttpServerResponse.jsonUnsafe(body, { status, headers, contentType: "application/problem+json" })
    )
}

export const answerNotFound = answer(notFound, 404)
export const answerMalformedBody = answer(malformedBody, 400)
export const answerBodyTooLarge = answer(bodyTooLarge, 413)
export const answerInternalError = answer(internalError, 500)
export const answerMethodNotAllowed = answer(
  problem(MethodNotAllowed, {
    status: 405,
    title: "Method not allowed",
    detail: ({ allowed }) => `This address takes ${allowed.join(", ")}.`
  }),
  405
)
export const answerBodyAlreadyRead = answer(
  problem(BodyAlreadyRead, {
    status: 500,
    title: "Body already read",
    detail: () =>
      "A body parser of the surrounding service read this body and left nothing that it can be made of again. Mount Fairlead before the parser."
  }),
  500
)
export const answerUriTooLong = answer(
  problem(UriTooLong, {
    status: 414,
    title: "Address too long",
    detail: ({ maximumBytes }) => `An address may hold at most ${maximumBytes} bytes.`
  }),
  414
)
export const answerHostNotAllowed = answer(
  problem(HostNotAllowed, {
    status: 421,
    title: "Host not allowed",
    detail: ({ host }) =>
      `This instance does not answer to the name ${host}. If it is one of its names, an administrator adds it to FAIRLEAD_ALLOWED_HOSTS.`
  }),
  421
)
export const answerCrossSiteRejected = answer(
  problem(CrossSiteRejected, {
    status: 403,
    title: "Request from another site",
    detail: () =>
      "A page of another site sent this request. If that site may, an administrator adds its origin to FAIRLEAD_CORS_ORIGINS."
  }),
  403
)
