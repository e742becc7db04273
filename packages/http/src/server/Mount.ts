/**
 * Where clients see an API that somebody else's server mounted. A router in front may have taken the prefix off already, as Express
 * does; then the address that came is `originalUrl` beside what is left of it.
 */
import { Context, Effect, Predicate } from "effect"
import { HttpServerRequest } from "effect/http"
import type { HttpSettingsShape } from "./HttpSettings.ts"

/** The prefix of the request in hand: `/cp`, or empty at the root of its server. */
export const MountPath = Context.Reference<string>("@fairlead/http/server/MountPath", { defaultValue: () => "" })

/** The body of the request in hand was read before it came here, and cannot be had any more. */
export const BodyTaken = Context.Reference<boolean>("@fairlead/http/server/BodyTaken", { defaultValue: () => false })

/** What a proxy takes off in front of the server is known to nobody but the settings, so they go first. */
export const publicPathOf = ({ publicPath }: Pick<HttpSettingsShape, "publicPath">, mountPath: string): string =>
  publicPath === "" ? mountPath : trimmed(publicPath)

/** Routes without the prefix, and tells what it was. */
export const under = <A, E, R>(prefix: string, app: Effect.Effect<A, E, R>) => {
  const declared = trimmed(prefix)
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const { path, url } = nodeIdOf(declared, request.source, request.url)
    if (path === "") return app
    const there = Effect.provideService(app, MountPath, path)
    return url === request.url
      ? there
      : Effect.provideService(there, HttpServerRequest.HttpServerRequest, request.modify({ url }))
  })
}

/** `/cp` and `/cp/…` are inside, `/cpu` is not: that keeps its address and finds nothing. */
export const nodeIdOf = (
  prefix: string,
  source: object,
  url: string
): { readonly path: string; readonly url: string } => {
  const outer = takenOff(source, url)
  const rest = url.slice(prefix.length)
  const isInside = prefix !== "" && !outer.endsWith(prefix) && url.startsWith(prefix) && /^(?:[/?#]|$)/.test(rest)
  if (isInside) return { path: outer + prefix, url: rest.replace(/^(?!\/)/, "/") }
  return { path: outer === "" ? prefix : outer, url }
}

/** Becomes the path of cookies, so what no prefix looks like is not taken for one. */
const takenOff = (source: object, url: string): string => {
  if (!Predicate.hasProperty(source, "originalUrl") || typeof source.originalUrl !== "string") return ""
  const original = pathOf(source.originalUrl)
  const own = pathOf(url)
  const outer = own === "/" ? trimmed(original) : original.endsWith(own) ? original.slice(0, -own.length) : ""
  return /^(?:\/[\w.~%-]+)*$/.test(outer) ? outer : ""
}

const pathOf = (url: string) => url.replace(/[?#].*$/s, "")
const trimmed = (path: string) => path.replace(/\/+$/, "")
