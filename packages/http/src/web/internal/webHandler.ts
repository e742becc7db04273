/** An app as a function from `Request` to `Response`, with what a `Request` does not say beside it. */
import { Context, Effect, Option, type Scope } from "effect"
import { HttpEffect, HttpServerRequest, type HttpServerResponse } from "effect/http"
import { BodyTaken } from "../../server/Mount.ts"

const PeerAddress = Context.Reference<string | undefined>("@fairlead/http/web/PeerAddress", {
  defaultValue: () => undefined
})

export const make = <E>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, HttpServerRequest.HttpServerRequest | Scope.Scope>
) =>
  Effect.map(Effect.context<never>(), (services) => {
    const handle = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(services)(
      Effect.flatMap(PeerAddress, (address) => from(app, address))
    )
    return (request: Request, remoteAddress: string | undefined, bodyTaken = request.bodyUsed) =>
      handle(request, Context.make(PeerAddress, remoteAddress).pipe(Context.add(BodyTaken, bodyTaken)))
  })

const from = <A, E, R>(app: Effect.Effect<A, E, R>, address: string | undefined) =>
  address === undefined
    ? app
    : Effect.updateService(app, HttpServerRequest.HttpServerRequest, (request) =>
        request.modify({ remoteAddress: Option.some(address) })
      )
