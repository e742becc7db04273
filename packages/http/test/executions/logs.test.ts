import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"

const bodyOf = (response: Response) =>
  Stream.fromReadableStream({
    evaluate: () => response.body ?? new ReadableStream<Uint8Array>(),
    onError: (error) => error
  })
const output = (headers: Headers) =>
  Object.fromEntries(["offset", "next-offset", "size", "ended"].map((name) => [name, headers.get(`x-output-${name}`)]))

describe("GET /executions/{id}/logs", () => {
  it.live("gives one stream's exact bytes and says where to go on", () =>
    Effect.gen(function* () {
      const { call, open, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "hex stdout ff00c3\nerr oh")
      const response = yield* open("anna", `GET /executions/${id}/logs`)
      const bytes = yield* Effect.promise(() => response.arrayBuffer())
      assert.strictEqual(Buffer.from(bytes).toString("hex"), "ff00c3")
      assert.strictEqual(response.headers.get("content-type"), "application/octet-stream")
      assert.strictEqual(response.headers.get("x-output-truncated"), "false")
      assert.deepStrictEqual(output(response.headers), { offset: "0", "next-offset": "3", size: "3", ended: "true" })
      const part = yield* call("anna", `GET /executions/${id}/logs?stream=stderr&offset=1&limit=1`, {
        headers: { accept: "text/plain" }
      })
      assert.deepStrictEqual([part.status, part.text], [200, "h"])
      assert.strictEqual(part.headers.get("content-type"), "text/plain; charset=utf-8")
      assert.deepStrictEqual(output(part.headers), { offset: "1", "next-offset": "2", size: "3", ended: "true" })
      const atEnd = yield* call("anna", `GET /executions/${id}/logs?stream=stderr&offset=3`)
      assert.deepStrictEqual([atEnd.status, atEnd.text], [200, ""])
    })
  )

  it.live.each([
    ["bytes=0-1", 206, "he", "bytes 0-1/6"],
    ["bytes=4-", 206, "o\n", "bytes 4-5/6"],
    ["bytes=4-99", 206, "o\n", "bytes 4-5/6"],
    ["bytes=-2", 206, "o\n", "bytes 4-5/6"],
    ["bytes=-99", 206, "hello\n", "bytes 0-5/6"],
    ["bytes=3-1", 200, "hello\n", null],
    ["lines=1-2", 200, "hello\n", null]
  ] as const)("answers Range: %s with %i", ([range, status, text, contentRange]) =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out hello")
      const answer = yield* call("anna", `GET /executions/${id}/logs`, { headers: { range } })
      assert.deepStrictEqual(
        [answer.status, answer.text, answer.headers.get("content-range")],
        [status, text, contentRange]
      )
    })
  )

  it.live.each([
    ["", { range: "bytes=6-" }, 6],
    ["", { range: "bytes=-0" }, 6],
    ["?offset=7", {}, 7],
    ["?offset=7&follow=true", {}, 7]
  ] as const)("has nothing behind the end: %s %o", ([query, headers, offset]) =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", "out hello")
      const answer = yield* call("anna", `GET /executions/${id}/logs${query}`, { headers })
      assert.deepStrictEqual(
        [answer.status, answer.body.code, answer.body.offset, answer.body.size],
        [416, "OFFSET_BEYOND_END", offset, 6]
      )
      assert.strictEqual(answer.headers.get("content-range"), "bytes */6")
    })
  )

  it.live("follows a script until it ends, from any offset", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out one\nerr no\nhold\nout two")
      const response = yield* host.open("anna", `GET /executions/${id}/logs?follow=true`)
      const bytes = yield* Stream.runCollect(Stream.tap(bodyOf(response), () => host.release))
      assert.strictEqual(Buffer.concat(bytes).toString(), "one\ntwo\n")
      const rest = yield* host.call("anna", `GET /executions/${id}/logs?follow=true&offset=4`)
      assert.strictEqual(rest.text, "two\n")
    })
  )

  it.live("breaks off, rather than ends, when the host goes away", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out one\nhold")
      const response = yield* host.open("anna", `GET /executions/${id}/logs?follow=true`)
      const exit = yield* bodyOf(response).pipe(
        Stream.tap(() => Effect.forkChild(host.streams.drain)),
        Stream.runDrain,
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit))
    })
  )

  it.live.each(["stream=stdin", "offset=-1", "limit=0", "limit=4194305"])("refuses ?%s", (query) =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      assert.strictEqual((yield* call("anna", `GET /executions/${yield* run("anna", "")}/logs?${query}`)).status, 422)
    })
  )
})
