/** A request of `node:http` or `node:http2` in the shape of the web standard, for answers that the framework sends itself. */
import { Readable } from "node:stream"
import { hasBody, type NodeRequest } from "./parsedBody.ts"

/** `undefined` for methods that the standard refuses. Aborted when the peer goes away before `done`. */
export const webRequest = (request: NodeRequest) => {
  const { headers, method = "GET", url = "/" } = request
  if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method)) return undefined
  const abort = new AbortController()
  const peer = "stream" in request ? request.stream : request.socket
  const gone = () => abort.abort()
  peer.once("close", gone)
  const sends = method !== "GET" && method !== "HEAD" && hasBody(request)
  const scheme = "encrypted" in request.socket && request.socket.encrypted === true ? "https" : "http"
  const target = url.startsWith("/") ? `${scheme}://${headers[":authority"] ?? headers.host}${url}` : url
  const init = {
    method,
    headers: pairsOf(headers),
    signal: abort.signal,
    ...(sends ? { body: Readable.toWeb(request) as ReadableStream<Uint8Array>, duplex: "half" as const } : {})
  }
  return {
    request: new Request(URL.canParse(target) ? target : new URL(url, `${scheme}://localhost`), init),
    done: () => void peer.off("close", gone)
  }
}

const pairsOf = (headers: NodeRequest["headers"]) =>
  Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(":") || value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one])
  )
