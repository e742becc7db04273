/**
 * The outermost layer of every request: names it, finds where it came from, rewrites second spellings, turns what no endpoint
 * answered into problems, adds headers, counts. It runs for every request, so it does one lookup and one copy of the headers.
 */
import { Cause, Clock, Context, Effect } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { BodyTooLarge, InternalError, MalformedBody, NotFound } from "../api/CommonErrors.ts"
import { RequestId } from "../api/Problem.ts"
import { CurrentRequestSource, LazySource } from "./CurrentRequestSource.ts"
import * as HttpMetrics from "./HttpMetrics.ts"
import { HttpSettings } from "./HttpSettings.ts"
import { hostOf, isFromOtherSite, isSentToUs } from "./internal/siteChecks.ts"
import * as StalledReaders from "./internal/stalledReaders.ts"
import {
  answerBodyTooLarge,
  answerCrossSiteRejected,
  answerHostNotAllowed,
  answerInternalError,
  answerMalformedBody,
  answerMethodNotAllowed,
  answerNotFound,
  answerUriTooLong,
  CrossSiteRejected,
  HostNotAllowed,
  MethodNotAllowed,
  UriTooLong
} from "./ProblemAnswer.ts"
import type { FoundRoute, RouteTable } from "./RouteTable.ts"
import { cors, securityHeaders } from "./SecurityHeaders.ts"

/** Of the path and query together. */
export const maximumUrlBytes = 8192

/** Methods that change nothing. */
const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "QUERY"])

type Response = HttpServerResponse.HttpServerResponse
type Request = HttpServerRequest.HttpServerRequest

export const layer = (table: RouteTable) =>
  HttpRouter.middleware(
    Effect.gen(function* () {
      const settings = yield* HttpSettings
      const metrics = HttpMetrics.make()
      const watched = yield* StalledReaders.make(settings.limits.stalledMillis)
      const crossOrigin = cors(settings.allowedOrigins)
      const allowedHosts = new Set(settings.allowedHosts)
      const forwarded =
        settings.trustedProxies.length === 0
          ? undefined
          : HttpMiddleware.xForwardedHeaders({ trustedProxies: settings.trustedProxies })

      const finish = (request: Request, origin: LazySource, response: Response): Response => {
        const headers = securityHeaders(response.headers, origin.correlationId, origin.secure)
        if (response.status === 401) headers["www-authenticate"] = "Bearer"
        const allowed = crossOrigin?.headers(request.headers["origin"])
        const complete = allowed === undefined ? headers : { ...headers, ...allowed }
        return watched(HttpServerResponse.setHeaders(response, complete))
      }

      const answer = <E, R>(app: Effect.Effect<Response, E, R>, request: Request, route: FoundRoute | undefined) => {
        if (crossOrigin !== undefined && isPreflight(request)) {
          const headers = crossOrigin.preflight(request.headers["origin"])
          return Effect.succeed(HttpServerResponse.empty({ status: 204, headers }))
        }
        if (!isSentToUs(request, allowedHosts))
          return answerHostNotAllowed(new HostNotAllowed({ host: (hostOf(request) ?? "").slice(0, 255) }))
        if (!safeMethods.has(request.method) && isFromOtherSite(request, settings.allowedOrigins))
          return answerCrossSiteRejected(new CrossSiteRejected())
        if (request.url.length > maximumUrlBytes)
          return answerUriTooLong(new UriTooLong({ maximumBytes: maximumUrlBytes }))
        if (route?.instead !== undefined) return refuseMethod(route.instead)
        return routed(app, request, route)
      }

      return (app) => {
        const handled = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
          Effect.withFiber((fiber) => {
            const clock = fiber.getRef(Clock.Clock)
            const startedNanos = clock.currentTimeNanosUnsafe()
            const origin = new LazySource(requestIdOf(request), request)
            const route = request.url.length > maximumUrlBytes ? undefined : table.find(request.method, request.url)
            return answer(app, request, route).pipe(
              Effect.catchCause((cause) => explain(cause, table, request)),
              // Not `provideContext`: that would copy every service of the instance for each request.
              Effect.updateContext((context: Context.Context<never>) =>
                Context.add(Context.add(context, RequestId, origin.correlationId), CurrentRequestSource, origin)
              ),
              Effect.map((response) => {
                const seconds = Number(clock.currentTimeNanosUnsafe() - startedNanos) / 1e9
                metrics.record(fiber.context, request.method, route?.pattern, response.status, seconds)
                return finish(request, origin, response)
              })
            )
          })
        )
        return forwarded === undefined ? handled : forwarded(handled)
      }
    }),
    { global: true }
  )

/** Printable, and short enough for every log; what a client sends is believed no further than that. */
const requestIdOf = ({ headers }: Request): string => {
  const given = headers["x-request-id"]
  return given !== undefined && /^[\x20-\x7e]{1,128}$/.test(given) ? given : crypto.randomUUID()
}

const isPreflight = ({ headers, method }: Request) =>
  method === "OPTIONS" && headers["access-control-request-method"] !== undefined

const routed = <E, R>(app: Effect.Effect<Response, E, R>, request: Request, route: FoundRoute | undefined) =>
  route?.rewritten === undefined
    ? app
    : Effect.provideService(app, HttpServerRequest.HttpServerRequest, request.modify({ url: route.rewritten }))

const refuseMethod = (allowed: ReadonlyArray<string>) =>
  answerMethodNotAllowed(new MethodNotAllowed({ allowed }), { allow: allowed.join(", ") })

/** Only what no endpoint answered comes here: its own failures are problems already. Nobody waits for an interrupted one. */
const explain = <E>(cause: Cause.Cause<E>, table: RouteTable, request: Request): Effect.Effect<Response, E> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
  const failure: unknown = cause.reasons.find(Cause.isFailReason)?.error
  if (HttpServerError.isHttpServerError(failure) && failure.reason._tag === "RouteNotFound") {
    const allowed = table.allowed(request.url)
    return allowed.length === 0 ? answerNotFound(new NotFound()) : refuseMethod(allowed)
  }
  return Effect.flatMap(HttpServerError.causeResponse(cause), ([response]) => {
    if (response.status === 413) return answerBodyTooLarge(new BodyTooLarge({ maximumBytes: 1024 * 1024 }))
    if (response.status === 400) return answerMalformedBody(new MalformedBody())
    if (response.status < 500) return Effect.succeed(response)
    return Effect.andThen(Effect.logError("request failed", cause), answerInternalError(new InternalError()))
  })
}
