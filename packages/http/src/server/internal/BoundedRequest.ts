/** A request whose body is read in another way, and that is otherwise the same. */
import { Inspectable } from "effect"
import { HttpIncomingMessage, HttpServerRequest } from "effect/http"

type Request = HttpServerRequest.HttpServerRequest

export interface BodyReader {
  readonly text: Request["text"]
  readonly urlParams: Request["urlParamsBody"]
}

/**
 * Hands everything but text and forms through. A class of its own, because an object that has the request as its prototype would make every
 * later look at that request slow.
 */
export class BoundedRequest extends Inspectable.Class implements Request {
  readonly [HttpServerRequest.TypeId] = HttpServerRequest.TypeId
  readonly [HttpIncomingMessage.TypeId] = HttpIncomingMessage.TypeId
  private readonly request: Request
  private readonly body: BodyReader

  constructor(request: Request, body: BodyReader) {
    super()
    this.request = request
    this.body = body
  }

  get text() {
    return this.body.text
  }
  get urlParamsBody() {
    return this.body.urlParams
  }

  get source() {
    return this.request.source
  }
  get url() {
    return this.request.url
  }
  get originalUrl() {
    return this.request.originalUrl
  }
  get method() {
    return this.request.method
  }
  get headers() {
    return this.request.headers
  }
  get cookies() {
    return this.request.cookies
  }
  get remoteAddress() {
    return this.request.remoteAddress
  }
  get peerAddress() {
    return this.request.peerAddress
  }
  get protocol() {
    return this.request.protocol
  }
  get json() {
    return this.request.json
  }
  get arrayBuffer() {
    return this.request.arrayBuffer
  }
  get stream() {
    return this.request.stream
  }
  get multipart() {
    return this.request.multipart
  }
  get multipartStream() {
    return this.request.multipartStream
  }
  get upgrade() {
    return this.request.upgrade
  }
  upgradeWith(options: Parameters<Request["upgradeWith"]>[0]) {
    return this.request.upgradeWith(options)
  }
  modify(options: Parameters<Request["modify"]>[0]) {
    return this.request.modify(options)
  }
  toJSON() {
    return this.request.toJSON()
  }
}
