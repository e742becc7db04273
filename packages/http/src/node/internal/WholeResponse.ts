/**
 * Lets `node:http` send an answer that is there as a whole with one write. While `strictContentLength` is on, Node writes the last
 * piece and the end of an answer apart, which costs a slower system call and another turn of the event loop.
 */
import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http"

type HeaderInput = OutgoingHttpHeaders | ReadonlyArray<OutgoingHttpHeader>

/** Checks the length of an answer that comes in one piece itself; of all others Node goes on checking it. */
export class WholeResponse extends ServerResponse {
  private announcedBytes: number | undefined

  override writeHead(status: number, reason?: string | HeaderInput, headers?: HeaderInput): this {
    const given = typeof reason === "object" ? reason : headers
    if (given !== undefined && "content-length" in given) this.announcedBytes = Number(given["content-length"])
    return Reflect.apply(super.writeHead, this, [status, reason, headers])
  }

  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    if (typeof chunk === "string" && encoding === undefined && Buffer.byteLength(chunk) === this.announcedBytes)
      this.strictContentLength = false
    return Reflect.apply(super.end, this, [chunk, encoding, callback])
  }
}
