import { createServer, type IncomingMessage, request as send } from "node:http"
import { Readable } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as NodeMount from "@fairlead/http/node/NodeMount"
import { cookieNames } from "@fairlead/http/server/auth/SessionCookies"
import { defaultSettings } from "@fairlead/http/server/HttpSettings"
import { nodeIdOf, publicPathOf } from "@fairlead/http/server/Mount"
import * as WebMount from "@fairlead/http/web/WebMount"
import { Effect } from "effect"
import { routes } from "../support/ProbeApi.ts"

describe("the place of a mount", () => {
  it.each([
    ["nobody took the prefix off", "/cp", {}, "/cp/api", "/cp", "/api"],
    ["its root", "/cp", {}, "/cp?x=1", "/cp", "/?x=1"],
    ["a longer word", "/cp", {}, "/cpu/api", "/cp", "/cpu/api"],
    ["a router took it off", "/cp", { originalUrl: "/cp/api?x=/cp" }, "/api?x=/cp", "/cp", "/api?x=/cp"],
    [
      "a router took off what our own addresses begin with",
      "/api",
      { originalUrl: "/api/api/v1" },
      "/api/v1",
      "/api",
      "/api/v1"
    ],
    ["a router took off a part", "/cp", { originalUrl: "/a/cp/api" }, "/cp/api", "/a/cp", "/api"],
    ["a router took it off and told nobody", "", { originalUrl: "/cp/api" }, "/api", "/cp", "/api"],
    ["a router took off the whole path", "", { originalUrl: "/cp" }, "/", "/cp", "/"],
    ["nothing is mounted anywhere", "", {}, "/api", "", "/api"],
    ["what was taken off is no prefix", "", { originalUrl: "/x;Domain=evil/api" }, "/api", "", "/api"]
  ] as const)("is told when %s", (_name, prefix, source, url, path, rest) =>
    assert.deepStrictEqual(nodeIdOf(prefix, source, url), { path, url: rest })
  )

  it("is what the settings say where a proxy takes a prefix off", () =>
    assert.strictEqual(publicPathOf({ publicPath: "/team/" }, "/cp"), "/team"))
})

describe("the names of the cookies", () => {
  const named = (settings: Partial<typeof defaultSettings>, mountPath: string) =>
    cookieNames({ ...defaultSettings, ...settings }, mountPath).access

  it("are those of the documents at the root, and differ for instances whose cookies meet", () => {
    const names = ["", "/cp", "/cp/a", "/cp/a/b", "/a"].map((path) => named({}, path))
    assert.deepStrictEqual(names, [
      "access_token",
      "access_token_cp",
      "access_token_cp_a",
      "access_token_cp_a_b",
      "access_token_a"
    ])
    assert.strictEqual(named({ publicPath: "/team" }, ""), "access_token_team")
    assert.strictEqual(named({ cookieSuffix: "_b" }, "/cp"), "access_token_b")
  })
})

/** Listens with `front` before the mount, for the scope. */
const behind = Effect.fnUntraced(function* (front: (request: IncomingMessage) => Promise<void>) {
  const { handler } = yield* NodeMount.make(routes)
  const server = createServer((request, response) => void front(request).then(() => handler(request, response)))
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () => Effect.sync(() => void server.close(() => {}).closeAllConnections())
  )
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}/api/v1/probe/notes`
  return (body: string, type = "application/json") =>
    Effect.promise((signal) =>
      fetch(url, { method: "POST", body, headers: { "content-type": type }, signal }).then(async (answer) => ({
        status: answer.status,
        body: await answer.json()
      }))
    )
})

const bytesOf = async (request: IncomingMessage) => Buffer.concat(await Readable.from(request).toArray())
const leaving = (what: (bytes: Buffer) => object) => async (request: IncomingMessage) =>
  void Object.assign(request, what(await bytesOf(request)))
const note = JSON.stringify({ text: "é" })

describe("a body that was read in front of the mount", () => {
  it.effect.each([
    ["as bytes", (bytes: Buffer) => ({ body: bytes })],
    ["as text", (bytes: Buffer) => ({ body: `${bytes}` })],
    ["as a value", (bytes: Buffer) => ({ body: JSON.parse(`${bytes}`) })],
    ["as a value, with its bytes", (bytes: Buffer) => ({ body: { text: "another" }, rawBody: bytes })]
  ] as const)("is taken %s", ([, what]) =>
    Effect.gen(function* () {
      const post = yield* behind(leaving(what))
      assert.deepStrictEqual(yield* post(note), { status: 200, body: { text: "é" } })
    }).pipe(Effect.scoped)
  )

  it.effect("is still held to the limits of depth", () =>
    Effect.gen(function* () {
      const post = yield* behind(leaving((bytes) => ({ body: JSON.parse(`${bytes}`) })))
      const { body } = yield* post(`{"text":${"[".repeat(100)}${"]".repeat(100)}}`)
      assert.strictEqual(body.code, "BODY_TOO_DEEP")
    }).pipe(Effect.scoped)
  )

  it.effect.each([
    ["nothing was left", "application/json", () => ({})],
    ["a form had nested members", "application/x-www-form-urlencoded", () => ({ body: { text: { a: "1" } } })],
    ["it was a multipart form", "multipart/form-data; boundary=x", () => ({ body: { text: "1" } })]
  ] as const)("is named in the problem when %s", ([, type, what]) =>
    Effect.gen(function* () {
      const post = yield* behind(leaving(what))
      const { body, status } = yield* post(note, type)
      assert.deepStrictEqual([status, body.code], [500, "BODY_ALREADY_READ"])
      assert.include(body.detail, "body parser")
    }).pipe(Effect.scoped)
  )

  it.effect("is named in the problem of the web-standard mount, too", () =>
    Effect.gen(function* () {
      const handler = yield* WebMount.make(routes)
      const request = new Request("http://localhost/api/v1/probe/notes", {
        method: "POST",
        body: note,
        headers: { "content-type": "application/json" }
      })
      yield* Effect.promise(() => request.text())
      const answer = yield* Effect.promise(() => handler(request))
      assert.strictEqual((yield* Effect.promise(() => answer.json())).code, "BODY_ALREADY_READ")
    }).pipe(Effect.scoped)
  )
})

describe("an answer that the framework sends", () => {
  it.effect("is refused for a method that the web standard does not know", () =>
    Effect.gen(function* () {
      const { respond } = yield* NodeMount.make(routes)
      const server = createServer(async (request, response) => {
        const answer = await respond(request)
        response.writeHead(answer.status).end()
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => void server.close(() => {}).closeAllConnections())
      )
      const address = server.address()
      const port = typeof address === "object" ? address?.port : address
      const status = yield* Effect.callback<number | undefined>((resume) => {
        send(`http://127.0.0.1:${port}/`, { method: "TRACE" }, (answer) => {
          answer.resume()
          resume(Effect.succeed(answer.statusCode))
        }).end()
      })
      assert.strictEqual(status, 405)
    }).pipe(Effect.scoped)
  )
})
