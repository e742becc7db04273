/** Which site a request was sent to, and which site's page sent it. Browsers tell both; programs may leave the second out. Pure. */
import type { HttpServerRequest } from "effect/http"

type Request = Pick<HttpServerRequest.HttpServerRequest, "headers" | "originalUrl">

/** Name and port as the client wrote them: `Host`, or what HTTP/2 and web requests have in its place. */
export const hostOf = ({ headers, originalUrl }: Request): string | undefined =>
  headers["host"] ?? headers[":authority"] ?? /^https?:\/\/([^/?#]+)/i.exec(originalUrl)?.[1]

const nameOf = (host: string) =>
  host
    .toLowerCase()
    .replace(/:\d{0,5}$/, "")
    .replace(/\.$/, "")
const isAddress = (name: string) => /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/.test(name)
const isLocalName = (name: string) => name === "localhost" || name.endsWith(".localhost")

/**
 * Whether the request was sent to an address, to `localhost`, or to a name in `allowed` (`*` is any). A page of another site can make
 * a browser send requests here under that site's own name, by having the name resolve to this machine (DNS rebinding), and would pass
 * for a page of ours; to an address it cannot. A request without any name is from no browser.
 */
export const isSentToUs = (request: Request, allowed: ReadonlySet<string>): boolean => {
  const host = hostOf(request)
  if (host === undefined || allowed.has("*")) return true
  const name = nameOf(host)
  return isAddress(name) || isLocalName(name) || allowed.has(name)
}

/**
 * Whether a page of another site sent the request, unless its origin is allowed. `Sec-Fetch-Site` says so where browsers send it; they
 * leave it out on plain http, where `Origin` must then name the instance that the request was sent to. The rule is that of Go's
 * `http.CrossOriginProtection`.
 */
export const isFromOtherSite = (request: Request, allowedOrigins: ReadonlyArray<string>): boolean => {
  const { headers } = request
  const origin = headers["origin"]
  if (origin !== undefined && allowedOrigins.includes(origin)) return false
  const site = headers["sec-fetch-site"]
  if (site !== undefined) return site !== "same-origin" && site !== "none"
  return origin !== undefined && origin.replace(/^https?:\/\//, "") !== hostOf(request)
}
