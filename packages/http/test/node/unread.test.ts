/** Peers that take nothing, say nothing, or wait for what never comes. */
import { createServer } from "node:http"
import { connect, type Socket } from "node:net"
import { assert, layer } from "@effect/vitest"
import * as NodeHost from "@fairlead/http/node/NodeHost"
import * as NodeMount from "@fairlead/http/node/NodeMount"
import { defaultSettings, HttpSettings, type RequestLimits } from "@fairlead/http/server/HttpSettings"
import { Effect, Layer, Schedule } from "effect"
import { longText, routes } from "../support/ProbeApi.ts"

const within = (limits: Partial<RequestLimits>) =>
  Layer.provide(
    routes,
    Layer.succeed(HttpSettings, { ...defaultSettings, limits: { ...defaultSettings.limits, ...limits } })
  )

/** A peer that sends the text and reads nothing until it is told to. */
const peer = (port: number, text = "") =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => {
        socket.pause()
        if (text !== "") socket.write(text)
        resume(Effect.succeed(socket))
      })
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => void socket.destroy())
  )
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`

/** All that there is to read until the other side closes. */
const rest = (socket: Socket) =>
  Effect.callback<string>((resume) => {
    let text = ""
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1")
    })
    socket.once("close", () => resume(Effect.succeed(text)))
    socket.resume()
  })

const soon = { schedule: Schedule.spaced("50 millis"), times: 200 }
const eventually = (what: string, condition: () => boolean) =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.fail(what))).pipe(Effect.retry(soon))

layer(Layer.empty, { excludeTestServices: true })("a peer", (it) => {
  it.effect("that takes nothing of a long answer is cut off, also in a server of somebody else's", () =>
    Effect.gen(function* () {
      const ours = yield* NodeMount.make(within({ stalledMillis: 400 }))
      let open = 0
      const server = createServer((request, response) => {
        open++
        response.once("close", () => open--)
        ours.handler(request, response)
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => void server.close(() => {}).closeAllConnections())
      )
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const unread = yield* peer(port, get("/api/v1/probe/long"))
      yield* eventually("the answer is under way", () => open === 1)
      yield* eventually("it is given up", () => open === 0)
      const got = yield* rest(unread)
      assert.match(got, new RegExp(`^HTTP/1.1 200 .*content-length: ${longText.length + 2}`, "is"))
      assert.isBelow(got.length, longText.length)
    }).pipe(Effect.scoped)
  )

  it.effect("that reads slowly but steadily gets all of it", () =>
    Effect.gen(function* () {
      const { port } = yield* NodeHost.serve(within({ stalledMillis: 1_000 }), { port: 0, stalledMillis: 1_000 })
      const slow = yield* peer(port, get("/api/v1/probe/long").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
      let got = 0
      const ended = new Promise((resolve) => slow.once("close", resolve))
      slow.on("data", (chunk) => {
        got += chunk.length
        slow.pause()
        setTimeout(() => slow.resume(), 10)
      })
      slow.resume()
      yield* Effect.promise(() => ended)
      assert.isAtLeast(got, longText.length)
    }).pipe(Effect.scoped)
  )

  it.effect("is answered with 503 within its deadline, whatever is waited for and cannot be interrupted", () =>
    Effect.gen(function* () {
      const { port } = yield* NodeHost.serve(within({ deadlineMillis: 300 }), { port: 0 })
      const answer = yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/api/v1/probe/never`))
      const { code } = yield* Effect.promise(() => answer.json())
      assert.deepStrictEqual([answer.status, code, answer.headers.get("retry-after")], [503, "DEADLINE_EXCEEDED", "1"])
    }).pipe(Effect.scoped)
  )

  it.effect("that is silent makes room for the next one of its address, and never for those of others", () =>
    Effect.gen(function* () {
      const { port } = yield* NodeHost.serve(routes, {
        port: 0,
        maxConnectionsPerAddress: 3,
        isExempt: (address) => address === "127.0.0.2"
      })
      const closed: Array<number> = []
      for (let i = 0; i < 5; i++) {
        const socket = yield* peer(port)
        socket.once("close", () => closed.push(i)).resume()
      }
      yield* eventually("the longest silent ones are closed", () => closed.length === 2)
      assert.deepStrictEqual(closed, [0, 1])
      assert.strictEqual((yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/api/v1/probe/seen`))).status, 200)
      assert.deepStrictEqual(closed.slice(0, 3), [0, 1, 2])
    }).pipe(Effect.scoped)
  )
})
