/**
 * Serves an API in memory, with everything in front of it that a real host has. `serve(routes)` in a scoped test gives `call`;
 * routes come from `ApiLayer.layer({ api, aliases, handlers })` with their services
 * provided. Tests of streams take the raw function from `WebMount.make`.
 */
import * as WebMount from "@fairlead/http/web/WebMount"
import { Effect, type Layer, Schema } from "effect"

export interface Call {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is text: that is sent as it is. */
  readonly body?: unknown
  readonly remoteAddress?: string
  readonly origin?: string
}

const Body = Schema.Record(Schema.String, Schema.Any)

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The text as a JSON object; empty when it is none. */
  readonly body: typeof Body.Type
}

const read = Schema.decodeUnknownOption(Schema.fromJsonString(Body))

export const serve = Effect.fnUntraced(function* <A, E>(routes: Layer.Layer<A, E, WebMount.MountServices>) {
  const handler = yield* WebMount.make(routes)
  return Effect.fnUntraced(function* (method: string, path: string, options: Call = {}) {
    const { body, headers, origin = "http://localhost", remoteAddress } = options
    const request = new Request(`${origin}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
    const response = yield* Effect.promise(() => handler(request, { remoteAddress }))
    const text = yield* Effect.promise(() => response.text())
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      text,
      body: read(text).pipe((found) => (found._tag === "Some" ? found.value : {}))
    }
    return answer
  })
})
