/**
 * An API as a function from `Request` to `Response`: for Hono, for servers that speak the web standard, and for tests. It
 * takes no WebSocket upgrades; `node/NodeMount` does.
 */
import { Context, Effect, Exit, Layer, Option, Scope } from "effect"
import { HttpEffect, HttpRouter, HttpServer, HttpServerRequest } from "effect/http"
import { routerConfig } from "../server/RouteTable.ts"

/** What the surrounding server knows and a `Request` does not say. */
export interface RequestInfo {
  /** Address of the socket's other end. Without it nobody is local, and origins are not recorded. */
  readonly remoteAddress?: string | undefined
}

export type WebHandler = (request: Request, info?: RequestInfo) => Promise<Response>

const PeerAddress = Context.Reference<string | undefined>("@fairlead/http/web/WebMount/PeerAddress", {
  defaultValue: () => undefined
})

/** What the routes may need besides their own services; provided here. */
export type MountServices = HttpRouter.HttpRouter | Layer.Success<typeof HttpServer.layerServices>

/**
 * The handler lives as long as the scope. Provide the routes' own services to them; with `Layer.succeedContext` when the host
 * has built them already. `request.url` must not carry a mount prefix: Hono's `mount` strips it.
 */
export const make = Effect.fnUntraced(function* <A, E>(routes: Layer.Layer<A, E, MountServices>) {
  const app = yield* HttpRouter.toHttpEffect(Layer.provide(routes, HttpServer.layerServices)).pipe(
    Effect.provideService(HttpRouter.RouterConfig, routerConfig)
  )
  const handle = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(
    yield* Effect.context<never>()
  )(Effect.flatMap(PeerAddress, (address) => from(app, address)))
  const handler: WebHandler = (request, info) => handle(request, Context.make(PeerAddress, info?.remoteAddress))
  return handler
})

/** For hosts without effects. `dispose` ends what the routes started. */
export const start = <A, E>(
  routes: Layer.Layer<A, E, MountServices>
): Promise<{ readonly handler: WebHandler; readonly dispose: () => Promise<void> }> => {
  const scope = Scope.makeUnsafe()
  const dispose = () => Effect.runPromise(Scope.close(scope, Exit.void))
  return Effect.runPromise(Effect.map(Scope.provide(make(routes), scope), (handler) => ({ handler, dispose })))
}

const from = <A, E, R>(app: Effect.Effect<A, E, R>, address: string | undefined) =>
  address === undefined
    ? app
    : Effect.updateService(app, HttpServerRequest.HttpServerRequest, (request) =>
        request.modify({ remoteAddress: Option.some(address) })
      )
