import { createServer, request as send } from "node:http"
import { connect } from "node:net"
import { assert, layer } from "@effect/vitest"
import * as NodeHost from "@fairlead/http/node/NodeHost"
import * as NodeMount from "@fairlead/http/node/NodeMount"
import { Deferred, Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { routes } from "../support/ProbeApi.ts"

const seen = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ address: Schema.String, secure: Schema.Boolean, id: Schema.String }))
)
const get = (url: string, init?: RequestInit) =>
  Effect.promise((signal) =>
    fetch(url, { ...init, signal }).then((response) =>
      response.text().then((text) => ({ status: response.status, headers: response.headers, text }))
    )
  )

/** What a peer gets that writes bytes by hand. */
const raw = (port: number, bytes: string) =>
  Effect.callback<string>((resume) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes))
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1")
    })
    socket.on("error", () => resume(Effect.succeed(answer)))
    socket.on("close", () => resume(Effect.succeed(answer)))
    return Effect.sync(() => socket.destroy())
  })

/** A server of somebody else, with a page of its own. */
const foreign = (prefix: string) =>
  Effect.gen(function* () {
    const ours = yield* NodeMount.make(routes, { prefix })
    const server = createServer((request, response) => {
      if (request.url === "/own") response.end("own")
      else ours.handler(request, response)
    })
    server.on("upgrade", ours.upgrade)
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => void server.close(() => {}).closeAllConnections())
    )
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })

layer(Layer.empty, { excludeTestServices: true })("NodeMount", (it) => {
  it.effect("answers under a prefix of somebody else's server, and leaves the rest alone", () =>
    Effect.gen(function* () {
      const base = `http://127.0.0.1:${yield* foreign("/cp")}`
      assert.strictEqual((yield* get(`${base}/own`)).text, "own")
      assert.strictEqual(seen((yield* get(`${base}/cp/api/v1/probe/seen`)).text).address, "127.0.0.1")
      for (const path of ["/cp", "/cp/", "/cp?x=1", "/cpx/api/v1/probe/seen", "/x/cp/api/v1/probe/seen"])
        assert.strictEqual((yield* get(`${base}${path}`)).status, 404, path)
    }).pipe(Effect.scoped)
  )

  it.effect("refuses an upgrade of a route that is none, as a problem", () =>
    Effect.gen(function* () {
      const port = yield* foreign("")
      const upgrade =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      const answer = yield* raw(port, `GET /nowhere HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`)
      assert.match(answer, /^HTTP\/1\.1 404 /)
      assert.include(answer, "NOT_FOUND")
    }).pipe(Effect.scoped)
  )

  it.effect("works for hosts without effects", () =>
    Effect.gen(function* () {
      const { dispose, handler } = yield* Effect.promise(() => NodeMount.start(routes))
      const server = createServer(handler)
      yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      assert.strictEqual((yield* get(`http://127.0.0.1:${port}/api/v1/probe/seen`)).status, 200)
      server.close()
      server.closeAllConnections()
      yield* Effect.promise(dispose)
    })
  )
})

/** A request that is in hand from `arrived` until `release`. */
const slowRoute = Effect.gen(function* () {
  const arrived = yield* Deferred.make<void>()
  const release = yield* Deferred.make<void>()
  const answer = Effect.andThen(Deferred.succeed(arrived, undefined), Deferred.await(release)).pipe(
    Effect.as(HttpServerResponse.text("done"))
  )
  return { arrived, release, slow: HttpRouter.add("GET", "/slow", answer) }
})

layer(Layer.empty, { excludeTestServices: true })("NodeHost", (it) => {
  it.effect("refuses what is too large before it has come", () =>
    Effect.gen(function* () {
      const { port } = yield* NodeHost.serve(routes, { port: 0 })
      const head = "Host: localhost\r\nContent-Type: application/json\r\n"
      const declared = yield* raw(
        port,
        `POST /api/v1/probe/notes HTTP/1.1\r\n${head}Content-Length: 900000000\r\n\r\n{`
      )
      assert.match(declared, /^HTTP\/1\.1 413 /)
      assert.match(declared, /connection: close/i)
      const chunk = `${(70_000).toString(16)}\r\n${"x".repeat(70_000)}\r\n`
      const streamed = yield* raw(
        port,
        `POST /api/v1/probe/short-notes HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}0\r\n\r\n`
      )
      assert.match(streamed, /^HTTP\/1\.1 413 /)
      const longHeader = yield* raw(
        port,
        `GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(17_000)}\r\n\r\n`
      )
      assert.match(longHeader, /^HTTP\/1\.1 431 /)
      const longUrl = yield* get(`http://127.0.0.1:${port}/${"x".repeat(8_192)}`)
      assert.strictEqual(longUrl.status, 414)
    }).pipe(Effect.scoped)
  )

  it.effect("does not take a client's word for TLS: its address may say https over a plain connection", () =>
    Effect.gen(function* () {
      const { port } = yield* NodeHost.serve(routes, { port: 0 })
      for (const target of ["/api/v1/probe/seen", "https://localhost/api/v1/probe/seen"]) {
        const answer = yield* raw(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
        assert.match(answer, /x-content-type-options: nosniff/i)
        assert.notMatch(answer, /strict-transport-security/i)
        assert.notMatch(answer, /"secure":true/)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("says so when the address is taken", () =>
    Effect.gen(function* () {
      const { port } = yield* NodeHost.serve(routes, { port: 0 })
      const failure = yield* Effect.flip(NodeHost.serve(routes, { port }))
      assert.deepStrictEqual([failure._tag, failure.port], ["ListenFailed", port])
    }).pipe(Effect.scoped)
  )

  it.effect("lets requests in hand finish before it closes", () =>
    Effect.gen(function* () {
      const { arrived, release, slow } = yield* slowRoute
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(NodeHost.serve(Layer.merge(routes, slow), { port: 0 }), scope)
      const answer = yield* Effect.forkChild(get(`${url}/slow`))
      yield* Deferred.await(arrived)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* Effect.eventually(Effect.flip(Effect.tryPromise(() => fetch(`${url}/api/v1/probe/seen`))))
      yield* Deferred.succeed(release, undefined)
      assert.strictEqual((yield* Fiber.join(answer)).text, "done")
      yield* Fiber.join(closing)
    })
  )

  it.effect(
    "still answers while it drains, and asks for the connections of all answers, also to what was in hand",
    () =>
      Effect.gen(function* () {
        const { arrived, release, slow } = yield* slowRoute
        const { drain, port } = yield* NodeHost.serve(Layer.merge(routes, slow), { port: 0 })
        // The peer sends no `Connection: close`: only what the host wants makes it one.
        const ask = (path: string) => raw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        const inHand = yield* Effect.forkChild(ask("/slow"))
        yield* Deferred.await(arrived)
        yield* drain
        assert.match(yield* ask("/api/v1/probe/seen"), /^HTTP\/1\.1 200 .*connection: close/is)
        yield* Deferred.succeed(release, undefined)
        assert.match(yield* Fiber.join(inHand), /^HTTP\/1\.1 200 .*connection: close.*done/is)
      }).pipe(Effect.scoped)
  )

  it.effect("cuts requests that outlast the drain", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const stuck = HttpRouter.add("GET", "/stuck", Effect.andThen(Deferred.succeed(arrived, undefined), Effect.never))
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(
        NodeHost.serve(Layer.merge(routes, stuck), { port: 0, drainMillis: 50 }),
        scope
      )
      const cut = yield* Effect.forkChild(
        Effect.callback<string>((resume) => {
          send({ port, path: "/stuck" })
            .on("error", ({ message }) => resume(Effect.succeed(message)))
            .end()
        })
      )
      yield* Deferred.await(arrived)
      yield* Scope.close(scope, Exit.void)
      assert.match(yield* Fiber.join(cut), /hang up|reset/)
    })
  )
})
