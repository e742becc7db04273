import { brotliCompressSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { defaultSettings, HttpSettings, type RequestLimits } from "@fairlead/http/server/HttpSettings"
import * as WebMount from "@fairlead/http/web/WebMount"
import { Effect, Fiber, Layer, Schema } from "effect"
import { routes } from "../support/ProbeApi.ts"

const Answer = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Any))

/** Calls a probe that answers with the note that it is given. */
const start = Effect.fnUntraced(function* (limits: Partial<RequestLimits> = {}) {
  const settings = { ...defaultSettings, limits: { ...defaultSettings.limits, ...limits } }
  const handler = yield* WebMount.make(Layer.provide(routes, Layer.succeed(HttpSettings, settings)))
  return Effect.fnUntraced(function* (
    body: BodyInit | ReadableStream<Uint8Array>,
    headers: Readonly<Record<string, string>> = {},
    remoteAddress = "192.0.2.1"
  ) {
    const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers }, duplex: "half" }
    const request = new Request("http://localhost/api/v1/probe/notes", init)
    const response = yield* Effect.promise(() => handler(request, { remoteAddress }))
    const text = yield* Effect.promise(() => response.text())
    return { status: response.status, headers: response.headers, body: yield* Schema.decodeEffect(Answer)(text) }
  })
})

const note = (text: string) => JSON.stringify({ text })

describe("an encoded body", () => {
  it.live.each([
    ["gzip", gzipSync(note("packed ä"))],
    ["GZIP", gzipSync(note("packed ä"))],
    ["br", brotliCompressSync(note("packed ä"))],
    ["identity", Buffer.from(note("packed ä"))]
  ] as const)("is taken as %s", ([encoding, body]) =>
    Effect.gen(function* () {
      const send = yield* start()
      const answer = yield* send(new Uint8Array(body), { "content-encoding": encoding })
      assert.deepStrictEqual([answer.status, answer.body["text"]], [200, "packed ä"])
    })
  )

  it.live.each([
    ["gzip", gzipSync(Buffer.alloc(200 * 1024 ** 2))],
    ["br", brotliCompressSync(Buffer.alloc(200 * 1024 ** 2))]
  ] as const)("that is a bomb of %s is refused when it has grown too large", ([encoding, body]) =>
    Effect.gen(function* () {
      const send = yield* start()
      const answer = yield* send(new Uint8Array(body), { "content-encoding": encoding })
      assert.deepStrictEqual([answer.status, answer.body["code"]], [413, "BODY_TOO_LARGE"])
    })
  )

  it.live("of an unknown kind is refused with those that are known", () =>
    Effect.gen(function* () {
      const send = yield* start()
      for (const encoding of ["zstd", "gzip, gzip"]) {
        const answer = yield* send(note("x"), { "content-encoding": encoding })
        assert.deepStrictEqual([answer.status, answer.body["code"]], [415, "UNSUPPORTED_ENCODING"])
        assert.strictEqual(answer.headers.get("accept-encoding"), "gzip, br")
      }
    })
  )

  it.live("that is not what it says is malformed", () =>
    Effect.gen(function* () {
      const send = yield* start()
      const whole = new Uint8Array(gzipSync(note("x".repeat(1000))))
      for (const body of [note("plain"), whole.slice(0, 20)]) {
        const answer = yield* send(body, { "content-encoding": "gzip" })
        assert.deepStrictEqual([answer.status, answer.body["code"]], [400, "MALFORMED_BODY"])
      }
    })
  )
})

describe("a body", () => {
  it.live("with more values than any call takes is refused unparsed", () =>
    Effect.gen(function* () {
      const send = yield* start()
      const list = JSON.stringify({ text: "x", more: Array.from({ length: 20_000 }, () => 1) })
      const refused = yield* send(list)
      assert.deepStrictEqual([refused.status, refused.body["code"]], [400, "BODY_TOO_COMPLEX"])
      assert.strictEqual((yield* send(note(",".repeat(20_000)))).status, 200)
    })
  )

  it.live.each([
    ["nests too deep", "application/json", `{"text":${"[".repeat(100)}`, "BODY_TOO_DEEP"],
    ["has too many values", "application/json", `{"text":[${"1,".repeat(10_001)}`, "BODY_TOO_COMPLEX"],
    ["has too many fields", "application/x-www-form-urlencoded", "a&".repeat(10_001), "BODY_TOO_COMPLEX"]
  ] as const)("that %s is refused before it has come whole", ([, type, start_, code]) =>
    Effect.gen(function* () {
      const send = yield* start()
      const endless = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(start_))
      })
      const answer = yield* send(endless, { "content-type": type })
      assert.deepStrictEqual([answer.status, answer.body["code"]], [400, code])
    })
  )

  it.live(
    "waits for nobody's turn of another caller: bytes of one caller are limited, also of one who hides the length",
    () =>
      Effect.gen(function* () {
        const send = yield* start({ bodyBytes: { perKey: 100_000, total: 150_000 } })
        let finish = () => {}
        const unfinished = new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(new TextEncoder().encode('{"text":"'))
            finish = () => {
              controller.enqueue(new TextEncoder().encode('"}'))
              controller.close()
            }
          }
        })
        const held = yield* Effect.forkChild(send(unfinished), { startImmediately: true })
        const large = note("x".repeat(60_000))
        const length = { "content-length": `${large.length}` }
        const own = yield* send(large, length)
        assert.deepStrictEqual(
          [own.status, own.body["code"], own.headers.get("retry-after")],
          [429, "TOO_MUCH_AT_ONCE", "1"]
        )
        const all = yield* send(large, length, "192.0.2.2")
        assert.deepStrictEqual([all.status, all.body["code"]], [503, "OVERLOADED"])
        assert.strictEqual((yield* send(note("small"), { "content-length": "16" })).status, 200)
        finish()
        assert.strictEqual((yield* Fiber.join(held)).status, 200)
        assert.strictEqual((yield* send(large, length)).status, 200)
      })
  )
})
