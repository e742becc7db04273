/**
 * An API inside a server that somebody else owns, under any prefix: Express, Fastify, Koa, Hono on Node, or a bare `node:http` or
 * `node:http2` server. Middleware in front of it sees every answer as it sees those of the service itself.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Exit, type Layer, Scope } from "effect"
import type { HttpRouter } from "effect/http"
import { BodyTaken, under } from "../server/Mount.ts"
import * as webHandler from "../web/internal/webHandler.ts"
import type { WebHandler } from "../web/WebMount.ts"
import * as nodeListeners from "./internal/nodeListeners.ts"
import { type NodeRequest, parsedOf, withItsBody } from "./internal/parsedBody.ts"
import { type NodeResponse, throughWrapped } from "./internal/throughWrapped.ts"
import { webRequest } from "./internal/webRequest.ts"

export interface NodeHandlers {
  /**
   * Answers every request that it is given, also those outside the prefix: with 404. A body that a parser has read before is taken from
   * `request.rawBody` or `request.body`; one that cannot be made again is answered with a problem that says so.
   */
  readonly handler: (request: NodeRequest, response: NodeResponse) => void
  /** For the server's `upgrade` event. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /**
   * The answer, for frameworks that send it themselves so that their hooks see it: `reply.send(await respond(request.raw))` in Fastify.
   * `parsed` is what a body parser made of the body, if one did.
   */
  readonly respond: (request: NodeRequest, parsed?: unknown) => Promise<Response>
  /** The same for frameworks that speak the web standard, such as Hono. */
  readonly fetch: WebHandler
}

export interface NodeMountOptions {
  /** Where clients find us: `/cp`. Taken off the address before routing, unless a router did so; also the path of cookies. */
  readonly prefix?: string | undefined
}

/** The handlers live as long as the scope; closing it interrupts the requests in hand. */
export const make = Effect.fnUntraced(function* <A, E>(
  routes: Layer.Layer<A, E, MountServices>,
  { prefix = "" }: NodeMountOptions = {}
) {
  const scope = yield* Effect.scope
  const { app, handler, upgrade } = yield* nodeListeners.make(routes, (routed) => under(prefix, routed))
  const withoutBody = yield* NodeHttpServer.makeHandler(Effect.provideService(app, BodyTaken, true), { scope })
  const answer = yield* webHandler.make(app)

  const handlers: NodeHandlers = {
    handler: (request, response) => {
      const readable = withItsBody(request, parsedOf(request))
      const through = throughWrapped(response)
      if (readable === undefined) withoutBody(request, through)
      else handler(readable, through)
    },
    upgrade,
    respond: (request, parsed = parsedOf(request)) => {
      const readable = withItsBody(request, parsed)
      const asked = webRequest(readable ?? request)
      if (asked === undefined) return Promise.resolve(new Response(null, { status: 405 }))
      const { done, request: standard } = asked
      return answer(standard, request.socket.remoteAddress, readable === undefined).finally(done)
    },
    fetch: (request, info) => answer(request, info?.remoteAddress)
  }
  return handlers
})

/** For instances without effects. `dispose` ends what the routes started. */
export const start = <A, E>(
  routes: Layer.Layer<A, E, MountServices>,
  options?: NodeMountOptions
): Promise<NodeHandlers & { readonly dispose: () => Promise<void> }> => {
  const scope = Scope.makeUnsafe()
  const dispose = () => Effect.runPromise(Scope.close(scope, Exit.void))
  return Effect.runPromise(
    Effect.map(Scope.provide(make(routes, options), scope), (handlers) => ({ ...handlers, dispose }))
  )
}

/** What the routes may need besides their own services; provided here. */
export type MountServices = HttpRouter.HttpRouter | Layer.Success<typeof NodeHttpServer.layerHttpServices>
