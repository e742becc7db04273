/** Routes as listeners of a `node:http` or `node:http2` server, and as the app that these run. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, Layer, Scope } from "effect"
import { HttpRouter, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { routerConfig } from "../../server/RouteTable.ts"

/** Frames of a WebSocket message above this are refused; the largest that a caller has a reason to send is a pasted script. */
const maximumMessageBytes = 64 * 1024

type App<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>

/** They live as long as the scope; closing it interrupts the requests in hand. `around` sees each request before the routes do. */
export const make = Effect.fnUntraced(function* <A, E, R>(
  routes: Layer.Layer<A, E, R>,
  around: <E2, R2>(app: App<E2, R2>) => App<E2, R2 | HttpServerRequest.HttpServerRequest> = (app) => app
) {
  const scope = yield* Effect.scope
  const services = yield* Layer.build(NodeHttpServer.layerHttpServices)
  const routed = yield* HttpRouter.toHttpEffect(Layer.provide(routes, Layer.succeedContext(services))).pipe(
    Effect.provideService(HttpRouter.RouterConfig, routerConfig)
  )
  const app = around(routed)
  const webSockets = yield* Effect.acquireRelease(
    Effect.sync(() => new NodeWS.WebSocketServer({ noServer: true, maxPayload: maximumMessageBytes })),
    (server) => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
  ).pipe(Scope.provide(scope), Effect.cached)
  return {
    app,
    handler: yield* NodeHttpServer.makeHandler(app, { scope }),
    upgrade: yield* NodeHttpServer.makeUpgradeHandler(webSockets, app, { scope })
  }
})
