/** Whether a request comes from this machine and speaks for nobody else. */
import { Option } from "effect"
import type { HttpServerRequest } from "effect/http"

/** A proxy on this machine is a local peer too, and says in one of these that it speaks for somebody else. */
const forwardingHeaders = ["x-forwarded-for", "x-real-ip", "forwarded", "via"] as const

export const isLocal = ({ headers, peerAddress, remoteAddress }: HttpServerRequest.HttpServerRequest): boolean =>
  isLoopback(remoteAddress) && isLoopback(peerAddress) && forwardingHeaders.every((name) => headers[name] === undefined)

const isLoopback = (address: Option.Option<string>) =>
  Option.exists(address, (text) => /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(text))
