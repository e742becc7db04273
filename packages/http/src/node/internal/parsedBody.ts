/**
 * Bodies that somebody read before us. A body parser leaves what it read as bytes or text, or what it made of it, and most of that can be
 * written down again. What cannot is told apart, so that nobody waits for bytes that have gone by.
 */
import type { IncomingMessage } from "node:http"
import type { Http2ServerRequest } from "node:http2"
import { Readable } from "node:stream"

export type NodeRequest = IncomingMessage | Http2ServerRequest

/** `undefined`: it was read, and there is nothing to make it of. A request that nobody read, or that has no body, is itself. */
export const withItsBody = (request: NodeRequest, parsed: unknown): NodeRequest | undefined => {
  if (!wasRead(request)) return request
  const body = encoded(parsed, request.headers["content-type"] ?? "")
  return body === undefined ? undefined : again(request, body)
}

/** What parsers leave at the request: `rawBody` is what came, `body` what they made of it. */
export const parsedOf = (request: object): unknown =>
  ("rawBody" in request ? request.rawBody : undefined) ?? ("body" in request ? request.body : undefined)

const wasRead = (request: NodeRequest) => request.readableDidRead && hasBody(request)

/** As its head says. */
export const hasBody = (request: NodeRequest) => {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers
  if (length !== undefined) return Number(length) > 0
  return "stream" in request ? !request.stream.endAfterHeaders : encoding !== undefined
}

const encoded = (parsed: unknown, contentType: string): Uint8Array | undefined => {
  if (parsed instanceof Uint8Array) return parsed
  if (typeof parsed === "string") return encoder.encode(parsed)
  if (typeof parsed !== "object" || parsed === null) return undefined
  if (/^[^;]*json/i.test(contentType)) return json(parsed)
  return /^application\/x-www-form-urlencoded/i.test(contentType) ? form(parsed) : undefined
}
const encoder = new TextEncoder()

/** It came out of a parser, so only depth can keep it from being written. */
const json = (parsed: object) => {
  try {
    return encoder.encode(JSON.stringify(parsed))
  } catch {
    return undefined
  }
}

/** Nested members were made of names such as `a[b]`, in ways that differ from parser to parser. */
const form = (parsed: object) => {
  const pairs = Object.entries(parsed).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
  if (pairs.some(([, value]) => typeof value !== "string")) return undefined
  return encoder.encode(`${new URLSearchParams(pairs)}`)
}

/** What the adapter reads of a request, over the bytes; they are not encoded any more. */
const again = (request: NodeRequest, body: Uint8Array) => {
  const { "content-encoding": _encoding, "transfer-encoding": _transfer, ...headers } = request.headers
  const { httpVersion, httpVersionMajor, httpVersionMinor, method, socket, url } = request
  const source = Readable.from([body], { objectMode: false })
  return Object.assign(source, {
    ...("originalUrl" in request ? { originalUrl: request.originalUrl } : {}),
    headers: { ...headers, "content-length": `${body.length}` },
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
    method,
    socket,
    url,
    complete: true
  }) as unknown as IncomingMessage
}
