/** An API on a `node:http` server of its own, with every limit set, that drains before it closes. */
import { createServer, type IncomingMessage, type Server } from "node:http"
import { Effect, type Layer, Schema, Scope } from "effect"
import * as Connections from "./internal/connections.ts"
import * as nodeListeners from "./internal/nodeListeners.ts"
import { TurnResponse, type Turns } from "./internal/TurnResponse.ts"

/** The address cannot be listened on: taken, forbidden, or none of this machine. */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  host: Schema.String,
  port: Schema.Int,
  cause: Schema.Defect()
}) {}

export interface NodeHostOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0 takes any free port. */
  readonly port: number
  /** How long requests in hand may go on after the scope closes, before their connections are cut. Default 10,000. */
  readonly drainMillis?: number | undefined
  /** How long a connection without a request stays open: longer than balancers in front keep theirs. Default 75,000. */
  readonly keepAliveMillis?: number | undefined
  /** Open connections at once; default 8,192. Further ones are closed unanswered. */
  readonly maxConnections?: number | undefined
  /** Of one address; default 2,048. One more takes the place of the one that has been silent for longest, or is refused. */
  readonly maxConnectionsPerAddress?: number | undefined
  /** Addresses without a limit of their own, such as balancers. Default: none. */
  readonly isExempt?: ((address: string) => boolean) | undefined
  /** A peer that takes nothing of what is written to it for so long is cut off. Default 15,000. */
  readonly stalledMillis?: number | undefined
}

export interface Listening {
  readonly host: string
  readonly port: number
  readonly url: string
  /**
   * From now on every answer, also to what is in hand, is the last one of its connection: by the time the scope closes kept-alive
   * connections are gone, and no request comes just when one is closed. New connections are accepted until then.
   */
  readonly drain: Effect.Effect<void>
}

/** Longer ones are cut off: slow clients must not hold connections. Streams of ours are answers and are not timed. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024
}

/**
 * Listens until the scope closes. Then: no new connections, idle ones are closed, requests in hand go on for `drainMillis`.
 * Tell balancers first, with `Health.drain`, then `drain` the connections, and give both a moment.
 */
export const serve = Effect.fnUntraced(function* <A, E, R>(
  routes: Layer.Layer<A, E, R>,
  { drainMillis = 10_000, host = "127.0.0.1", keepAliveMillis = 75_000, port, ...options }: NodeHostOptions
) {
  /** Closes after the server has drained: requests belong to it, and would be interrupted with it. */
  const requests = yield* Scope.fork(yield* Effect.scope)
  const { handler, upgrade } = yield* Scope.provide(nodeListeners.make(routes), requests)
  const server = createServer({ ...limits, keepAliveTimeout: keepAliveMillis, ServerResponse: TurnResponse })
  const turns: Turns = { isDraining: false }
  const connections = Connections.make({
    total: options.maxConnections ?? 8_192,
    perAddress: options.maxConnectionsPerAddress ?? 2_048,
    stalledMillis: options.stalledMillis ?? 15_000,
    isExempt: options.isExempt ?? (() => false)
  })
  server.on("connection", connections.add)
  server.on("request", (request, response) => {
    response.turns = turns
    connections.busy(request, response)
    handler(request, response)
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.sync(connections.sweep), 1_000)))
  server.on("upgrade", (request, socket, head) => {
    connections.upgraded(socket)
    upgrade(request, socket, head)
  })
  yield* Effect.acquireRelease(listen(server, host, port), () => drained(server, drainMillis))
  const address = server.address()
  const bound = address !== null && typeof address === "object" ? address.port : port
  const drain = Effect.sync(() => {
    turns.isDraining = true
  })
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`
  const listening: Listening = { host, port: bound, url, drain }
  return listening
})

type HostServer = Server<typeof IncomingMessage, typeof TurnResponse>

const listen = (server: HostServer, host: string, port: number) =>
  Effect.callback<void, ListenFailed>((resume) => {
    const failed = (cause: Error) => resume(Effect.fail(new ListenFailed({ host, port, cause })))
    server.once("error", failed)
    server.listen({ host, port }, () => {
      server.off("error", failed)
      resume(Effect.void)
    })
  })

const drained = (server: HostServer, drainMillis: number) => {
  const closed = Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  /** A kept-alive connection turns idle when its last answer is out, and would hold the server open until it times out. */
  const closeIdle = Effect.sync(() => server.closeIdleConnections()).pipe(
    Effect.andThen(Effect.sleep(50)),
    Effect.forever
  )
  return Effect.raceFirst(closed, closeIdle).pipe(
    Effect.interruptible,
    Effect.timeoutOrElse({ duration: drainMillis, orElse: () => Effect.sync(() => server.closeAllConnections()) })
  )
}
