/** What is known of a request before anybody reads it: where it came from, and its id. Set by `RequestPipeline`. */
import type { RequestSource } from "@fairlead/core/auth/RequestSource"
import { Context, Option, Predicate } from "effect"
import type { HttpServerRequest } from "effect/http"

export interface CurrentSource extends RequestSource {
  /** Whether the client's own hop is encrypted, as far as the socket or a trusted proxy says. */
  readonly secure: boolean
}

/** Give it to the use cases of core that take an `Origin`. */
export const CurrentRequestSource = Context.Reference<CurrentSource>("@fairlead/http/server/CurrentRequestSource", {
  defaultValue: () => ({ correlationId: "unknown", secure: false })
})

/** Reads lazily: most requests never ask. `request` has the headers of trusted proxies applied already. */
export class LazySource implements CurrentSource {
  readonly correlationId: string
  private readonly request: HttpServerRequest.HttpServerRequest

  constructor(correlationId: string, request: HttpServerRequest.HttpServerRequest) {
    this.correlationId = correlationId
    this.request = request
  }

  get ipAddress(): string | undefined {
    return Option.getOrUndefined(this.request.remoteAddress)?.replace(/^::ffff:(?=\d+\.)/, "")
  }

  get userAgent(): string | undefined {
    return this.request.headers["user-agent"]?.slice(0, 500)
  }

  get secure(): boolean {
    if (this.request.protocol !== undefined) return this.request.protocol === "https"
    const { source } = this.request
    if (Predicate.hasProperty(source, "socket")) return isEncrypted(source.socket)
    // A web request has its address from the server around us; a Node request may have a whole one from the client.
    return this.request.originalUrl.startsWith("https:")
  }
}

const isEncrypted = (socket: unknown) => Predicate.hasProperty(socket, "encrypted") && socket.encrypted === true
