/**
 * An API as listeners for a `node:http` server that somebody else owns: Express, Fastify, or a bare server, under any prefix,
 * with WebSocket upgrades. Hand over requests before any body parser has read them.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { NodeHttpServer, NodeWS } from "@effect/platform-node"
import { Effect, Exit, Layer, Scope } from "effect"
import { HttpRouter, HttpServerRequest } from "effect/http"
import { routerConfig } from "../server/RouteTable.ts"

export interface NodeHandlers {
  /** Answers every request that it is given, also those outside the prefix: with 404. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

export interface NodeMountOptions {
  /** Where the host mounted us: `/cp`. Taken off the address before routing; a router that did so already gives none. */
  readonly prefix?: string | undefined
}

/** Frames of a WebSocket message above this are refused; the largest that a caller has a reason to send is a pasted script. */
const maximumMessageBytes = 64 * 1024

/** The listeners live as long as the scope; closing it interrupts the requests in hand. */
export const make = Effect.fnUntraced(function* <A, E, R>(
  routes: Layer.Layer<A, E, R>,
  { prefix = "" }: NodeMountOptions = {}
) {
  const scope = yield* Effect.scope
  const services = yield* Layer.build(NodeHttpServer.layerHttpServices)
  const app = yield* HttpRouter.toHttpEffect(Layer.provide(routes, Layer.succeedContext(services))).pipe(
    Effect.provideService(HttpRouter.RouterConfig, routerConfig)
  )
  const mounted =
    prefix === ""
      ? app
      : Effect.updateService(app, HttpServerRequest.HttpServerRequest, (request) => without(prefix, request))
  const webSockets = yield* Effect.acquireRelease(
    Effect.sync(() => new NodeWS.WebSocketServer({ noServer: true, maxPayload: maximumMessageBytes })),
    (server) => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
  ).pipe(Scope.provide(scope), Effect.cached)
  return {
    handler: yield* NodeHttpServer.makeHandler(mounted, { scope }),
    upgrade: yield* NodeHttpServer.makeUpgradeHandler(webSockets, mounted, { scope })
  }
})

/** For hosts without effects. `dispose` ends what the routes started. */
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

/** `/cp` and `/cp/…` are inside, `/cpu` is not: that keeps its address and finds nothing. */
const without = (prefix: string, request: HttpServerRequest.HttpServerRequest) =>
  request.url.startsWith(prefix) && /^(?:[/?#]|$)/.test(request.url.slice(prefix.length))
    ? request.modify({ url: request.url.slice(prefix.length).replace(/^(?!\/)/, "/") })
    : request
