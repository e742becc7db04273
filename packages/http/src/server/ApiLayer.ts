/**
 * Puts an API together: its routes over the given handlers, who may call, what is refused, the edge around it all. An instance that
 * serves a part gives that part's `HttpApi` and handlers; the aliases of what is not served fall away.
 */
import { Layer } from "effect"
import { HttpApi, HttpApiBuilder, type HttpApiGroup } from "effect/http-api"
import * as AccessLive from "./AccessLive.ts"
import * as CommonErrorsLive from "./CommonErrorsLive.ts"
import { MountedApi, type MountedApiShape } from "./MountedApi.ts"
import * as OpenApiSpec from "./OpenApiSpec.ts"
import * as RequestPipeline from "./RequestPipeline.ts"
import * as RouteTable from "./RouteTable.ts"

export interface ServedApi<Id extends string, G extends HttpApiGroup.Constraint, E, R> {
  readonly api: HttpApi.HttpApi<Id, G>
  readonly aliases: Readonly<Record<string, string>>
  /** The handlers of every group of `api`, merged. */
  readonly handlers: Layer.Layer<HttpApiGroup.ToService<Id, G>, E, R>
}

/** Routes for any mount. Needs `Sessions` and `ApiKeys` to know callers, and what the handlers need. */
export const layer = <Id extends string, G extends HttpApiGroup.Constraint, E, R>({
  aliases,
  api,
  handlers
}: ServedApi<Id, G, E, R>) =>
  Layer.merge(
    HttpApiBuilder.layer(api).pipe(Layer.provide(handlers)),
    RequestPipeline.layer(RouteTable.make(api, aliases))
  ).pipe(
    Layer.provide(AccessLive.layer),
    Layer.provide(CommonErrorsLive.layer),
    Layer.provide(Layer.succeed(MountedApi, mounted(api, aliases)))
  )

/** A router with a variable prefix shows as many places as its callers can spell. */
const maximumTexts = 8

const mounted = <Id extends string, G extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, G>,
  aliases: Readonly<Record<string, string>>
): MountedApiShape => {
  const features: Record<string, Array<string>> = {}
  HttpApi.reflect(api, {
    onGroup({ group }) {
      features[group.identifier] = []
    },
    onEndpoint: ({ endpoint, group }) => void features[group.identifier]?.push(endpoint.identifier)
  })
  let spec: ReturnType<typeof OpenApiSpec.make> | undefined
  const texts = new Map<string, string>()
  const document: MountedApiShape["document"] = (place) => {
    const key = JSON.stringify(place)
    const known = texts.get(key)
    if (known !== undefined) return known
    spec ??= OpenApiSpec.make(api, aliases)
    const text = JSON.stringify(OpenApiSpec.at(spec, place))
    if (texts.size < maximumTexts) texts.set(key, text)
    return text
  }
  return { features, document }
}
