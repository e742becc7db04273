/**
 * Makes `node:http` send answers cheaply. An answer that is there as a whole is one write; while `strictContentLength` is on, Node
 * would make it two. And it is written when the turn of the event loop has read all requests that have come: a client that is
 * woken by each single answer costs more than many answers do. No answer waits longer than that turn.
 */
import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http"

type HeaderInput = OutgoingHttpHeaders | ReadonlyArray<OutgoingHttpHeader>

/** Shared by all answers of a server. */
export interface Turns {
  /** From then on each answer is the last one of its connection, and says so. */
  isDraining: boolean
}

/** Streams, and texts of another length than their head says, are left to Node. */
export class TurnResponse extends ServerResponse {
  turns: Turns | undefined
  private announcedBytes: number | undefined

  override writeHead(status: number, reason?: string | HeaderInput, headers?: HeaderInput): this {
    const given = typeof reason === "object" ? reason : headers
    if (given !== undefined && "content-length" in given) this.announcedBytes = Number(given["content-length"])
    if (this.turns?.isDraining === true) this.shouldKeepAlive = false
    return Reflect.apply(super.writeHead, this, [status, reason, headers])
  }

  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    const send = () => Reflect.apply(super.end, this, [chunk, encoding, callback])
    if (typeof chunk !== "string" || encoding !== undefined || Buffer.byteLength(chunk) !== this.announcedBytes)
      return send()
    this.strictContentLength = false
    setImmediate(send)
    return this
  }
}
