/**
 * Every address of an API with its aliases: which canonical route answers a second spelling, what a route is called in
 * metrics, and which methods an address takes. Built once; the router itself knows only canonical routes.
 */
import { FindMyWay, type HttpRouter } from "effect/http"
import { HttpApi, type HttpApiGroup } from "effect/http-api"

/** One rule for both routers: case counts, and a parameter may be as long as any id or name of ours. */
export const routerConfig: Partial<FindMyWay.RouterConfig> = { caseSensitive: true, maxParamLength: 500 }

export interface Route {
  /** The canonical pattern, such as `/api/v1/auth/api-keys/:key_id`. */
  readonly pattern: string
  readonly isAlias: boolean
}

export interface FoundRoute {
  readonly pattern: string
  /** The path and query to route by, when the request used a second spelling. */
  readonly rewritten: string | undefined
  /** The address is a word that other methods take, and this one took it for a parameter: those are the methods. */
  readonly instead: ReadonlyArray<string> | undefined
}

export interface RouteTable {
  find(method: string, url: string): FoundRoute | undefined
  /** Methods that this address takes, `HEAD` included, in a fixed order; empty when nothing is there. */
  allowed(url: string): ReadonlyArray<string>
  /** For routes beside the API, such as the docs. */
  add(method: string, path: HttpRouter.PathInput): void
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

export const make = <Id extends string, G extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, G>,
  aliases: Readonly<Record<string, string>>
): RouteTable => {
  const table = FindMyWay.make<Route>(routerConfig)
  const words = new Set<string>()
  const add = (method: string, path: string, pattern: string) => {
    if (!path.includes(":")) words.add(path)
    table.on(method, narrowed(path), { pattern, isAlias: path !== pattern })
  }
  HttpApi.reflect(api, {
    onGroup() {},
    onEndpoint: ({ endpoint }) => add(endpoint.method, endpoint.path, endpoint.path)
  })
  for (const [from, to] of Object.entries(aliases)) {
    if (table.find(methodOf(to), pathOf(to)) !== undefined) add(methodOf(from), pathOf(from), pathOf(to))
  }

  const find: RouteTable["find"] = (method, url) => {
    const found = table.find(method, url) ?? (method === "HEAD" ? table.find("GET", url) : undefined)
    if (found === undefined) return undefined
    const { isAlias, pattern } = found.handler
    const rewritten = isAlias ? fill(pattern, found.params) + queryOf(url) : undefined
    const taken = pattern.includes(":") ? addressOf(url) : ""
    return { pattern, rewritten, instead: words.has(taken) ? allowed(url) : undefined }
  }

  const allowed: RouteTable["allowed"] = (url) => {
    const address = addressOf(url)
    const isWord = words.has(address)
    const taken = methods.filter((method) => {
      const found = table.find(method, url)
      return found !== undefined && !(isWord && Object.keys(found.params).length > 0)
    })
    return taken[0] === "GET" ? ["GET", "HEAD", ...taken.slice(1)] : taken
  }

  return { find, allowed, add: (method, path) => add(method, path, path) }
}

/** A parameter right behind the version would swallow every unknown word there, so it takes UUIDs only. */
const narrowed = (path: string): HttpRouter.PathInput =>
  `/${path.slice(1).replace(/^(api\/v\d+\/:\w+)(?=\/|$)/, `$1(${uuid})`)}`
const uuid = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

const methodOf = (route: string) => route.slice(0, route.indexOf(" "))
const pathOf = (route: string) => route.slice(route.indexOf(" ") + 1)
const addressOf = (url: string) => {
  const end = url.search(/[?;#]/)
  return end === -1 ? url : url.slice(0, end)
}
const queryOf = (url: string) => {
  const start = url.search(/[?;#]/)
  return start === -1 ? "" : `?${url.slice(start + 1)}`
}
const fill = (path: string, params: Readonly<Record<string, string | undefined>>) =>
  path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""))
