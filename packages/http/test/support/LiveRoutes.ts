/** What is really registered on a router, whoever registered it: a contract, or a layer beside it. */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"

type Router = HttpRouter.HttpRouter

/** As `METHOD /path`, in the order of registration, with the prefix that a route was added under. */
export const liveRoutes = Effect.fnUntraced(function* <A, E, R>(routes: Layer.Layer<A, E, R | Router>) {
  const found: Array<string> = []
  const noting = (router: Router, prefix: string): Router =>
    HttpRouter.HttpRouter.of({
      ...router,
      prefixed: (more) => noting(router.prefixed(more), `${prefix}${more}`),
      add: (method, path, handler, options) => {
        found.push(`${method} ${prefix}${path}`)
        return router.add(method, path, handler, options)
      },
      addAll: (all) => {
        found.push(...all.map(({ method, path }) => `${method} ${prefix}${path}`))
        return router.addAll(all)
      }
    })
  const router = Layer.effect(
    HttpRouter.HttpRouter,
    Effect.map(HttpRouter.make, (made) => noting(made, ""))
  )
  yield* Layer.build(routes.pipe(Layer.provide(router), Layer.provide(HttpServer.layerServices)))
  return found
})
