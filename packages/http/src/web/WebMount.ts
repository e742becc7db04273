/**
 * An API as a function from `Request` to `Response`: for Hono, Next.js, servers that speak the web standard, and for tests. It
 * takes no WebSocket upgrades; `node/NodeMount` does, and has such a function too.
 */
import { Effect, Exit, Layer, Scope } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { under } from "../server/Mount.ts"
import { routerConfig } from "../server/RouteTable.ts"
import * as webHandler from "./internal/webHandler.ts"

/** What the surrounding server knows and a `Request` does not say. */
export interface RequestInfo {
  /** Address of the socket's other end. Without it nobody is local, and origins are not recorded. */
  readonly remoteAddress?: string | undefined
}

export type WebHandler = (request: Request, info?: RequestInfo) => Promise<Response>

export interface WebMountOptions {
  /** Where clients find us: `/cp`. Taken off the address before routing, unless a router did so; also the path of cookies. */
  readonly prefix?: string | undefined
}

/** What the routes may need besides their own services; provided here. */
export type MountServices = HttpRouter.HttpRouter | Layer.Success<typeof HttpServer.layerServices>

/**
 * The handler lives as long as the scope. Provide the routes' own services to them; with `Layer.succeedContext` when the instance
 * has built them already.
 */
export const make = Effect.fnUntraced(function* <A, E>(
  routes: Layer.Layer<A, E, MountServices>,
  { prefix = "" }: WebMountOptions = {}
) {
  const app = yield* HttpRouter.toHttpEffect(Layer.provide(routes, HttpServer.layerServices)).pipe(
    Effect.provideService(HttpRouter.RouterConfig, routerConfig)
  )
  const handle = yield* webHandler.make(under(prefix, app))
  const handler: WebHandler = (request, info) => handle(request, info?.remoteAddress)
  return handler
})

/** For instances without effects. `dispose` ends what the routes started. */
export const start = <A, E>(
  routes: Layer.Layer<A, E, MountServices>,
  options?: WebMountOptions
): Promise<{ readonly handler: WebHandler; readonly dispose: () => Promise<void> }> => {
  const scope = Scope.makeUnsafe()
  const dispose = () => Effect.runPromise(Scope.close(scope, Exit.void))
  return Effect.runPromise(Effect.map(Scope.provide(make(routes, options), scope), (handler) => ({ handler, dispose })))
}
