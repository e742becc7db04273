import { assert, describe, it } from "@effect/vitest"
import { outputParts } from "@fairlead/core/executions/outputText"
import { Effect, Fiber, Schema, Stream } from "effect"
import { jsonPieces } from "../../src/server/internal/jsonPieces.ts"
import * as ExecutionHost from "../support/ExecutionHost.ts"
import { pattern } from "../support/ScriptedRuntime.ts"
import { messages } from "../support/SseReader.ts"

const size = 300_000
const script = `fill stdout ${size}\nfill stderr 5\nexit 0`
const text = new TextDecoder().decode(pattern(size))

describe("JSON in pieces", () => {
  it.effect.prop(
    "is the JSON in one piece, wherever the bytes are cut",
    [Schema.Uint8Array, Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))), Schema.String],
    ([bytes, cuts, more]) =>
      Effect.gen(function* () {
        const nodes = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const chunks = nodes.slice(1).map((to, i) => bytes.subarray(nodes[i] ?? 0, to))
        const parts = outputParts(Stream.fromIterable(chunks))
        const text = new TextDecoder().decode(bytes)
        const value = {
          first: more,
          stdout: "",
          skipped: undefined,
          result: { output: "", last: [1, more] },
          end: null
        }
        const written = yield* jsonPieces(value, { stdout: parts, output: parts }).pipe(
          Stream.decodeText(),
          Stream.mkString
        )
        assert.strictEqual(
          written,
          JSON.stringify({ ...value, stdout: text, result: { ...value.result, output: text } })
        )
      })
  )
})

describe("an execution that wrote much", () => {
  it.live("has the whole text in its result, which is streamed", () =>
    Effect.gen(function* () {
      const { call, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", script)
      const answer = yield* call("anna", `GET /executions/${id}/result`)
      assert.strictEqual(answer.headers.get("content-type"), "application/json")
      assert.isNull(answer.headers.get("content-length"))
      const { errors, output, stderr, stdout, stdout_bytes } = answer.body
      assert.strictEqual(stdout, text)
      assert.strictEqual(output, text)
      assert.deepStrictEqual([stderr, errors, stdout_bytes], ['a"\\\u0007\n', 'a"\\\u0007\n', size])
    })
  )

  it.live("has it in the answer of a submission that waited, and in the last frame of its stream", () =>
    Effect.gen(function* () {
      const { call, open } = yield* ExecutionHost.start()
      const made = yield* call("anna", "POST /executions?wait_seconds=10", { body: { script } })
      assert.deepStrictEqual([made.status, made.body.status], [200, "completed"])
      assert.strictEqual(made.body.result.stdout, text)
      const stream = yield* open("anna", `GET /executions/${made.body.execution_id}/stream`)
      const last = (yield* Stream.runCollect(messages(stream))).at(-1)
      assert.deepStrictEqual([last?.id, last?.data["result"].output], ["end", text])
    })
  )

  it.live("gives a long part of its output as a stream of known length", () =>
    Effect.gen(function* () {
      const { open, run } = yield* ExecutionHost.start()
      const id = yield* run("anna", script)
      const response = yield* open("anna", `GET /executions/${id}/logs?offset=7&limit=200000`)
      assert.strictEqual(response.headers.get("content-length"), "200000")
      const bytes = yield* Effect.promise(() => response.arrayBuffer())
      assert.deepStrictEqual(new Uint8Array(bytes), pattern(size).slice(7, 200_007))
    })
  )
})

describe("long answers under way", () => {
  const longAnswers = { perKey: 2, total: 3 }

  it.live("are limited for each user and in all, and counted down when they end", () =>
    Effect.gen(function* () {
      const { call, open, run } = yield* ExecutionHost.start({ limits: { longAnswers } })
      const id = yield* run("anna", script)
      const unread = yield* Effect.forEach([1, 2], () => open("anna", `GET /executions/${id}/result`))
      const refused = yield* call("anna", `GET /executions/${id}/logs`)
      assert.deepStrictEqual(
        [refused.status, refused.body.code, refused.body.resource, refused.headers.get("retry-after")],
        [429, "TOO_MUCH_AT_ONCE", "long answers", "1"]
      )
      // Somebody else still gets one, and then this host has no more to give.
      yield* open("adam", `GET /executions/${id}/logs`)
      const overloaded = yield* call("adam", `GET /executions/${id}/logs`)
      assert.deepStrictEqual([overloaded.status, overloaded.body.code], [503, "OVERLOADED"])
      // What is short is answered all the same.
      assert.strictEqual((yield* call("anna", `GET /executions/${id}/logs?limit=10`)).status, 200)
      yield* Effect.forEach(unread, (response) => Effect.promise(() => response.text()))
      assert.strictEqual((yield* call("anna", `GET /executions/${id}/result`)).status, 200)
    })
  )

  it.live("never keep a submission from being answered", () =>
    Effect.gen(function* () {
      const { call, open, run } = yield* ExecutionHost.start({ limits: { longAnswers } })
      const id = yield* run("anna", script)
      yield* Effect.forEach([1, 2], () => open("anna", `GET /executions/${id}/result`))
      const made = yield* call("anna", "POST /executions?wait_seconds=10", { body: { script } })
      assert.deepStrictEqual([made.status, made.body.status, made.body.result], [200, "completed", undefined])
    })
  )
})

describe("requests that wait for the end of an execution", () => {
  it.live("are limited for each user; a submission beyond that is answered at once", () =>
    Effect.gen(function* () {
      const { call, open, release, submit } = yield* ExecutionHost.start({
        limits: { heldRequests: { perKey: 1, total: 10 } }
      })
      const id = yield* submit("anna", "hold\nout done")
      const held = yield* open("anna", `GET /executions/${id}/result?wait_seconds=30`).pipe(
        Effect.forkChild({ startImmediately: true })
      )
      const refused = yield* call("anna", `GET /executions/${id}/result?wait_seconds=30`)
      assert.deepStrictEqual([refused.status, refused.body.resource], [429, "held requests"])
      const made = yield* call("anna", "POST /executions?wait_seconds=30", { body: { script: "hold" } })
      assert.deepStrictEqual([made.status, made.body.result], [200, undefined])
      yield* release
      assert.strictEqual((yield* Fiber.join(held)).status, 200)
      assert.strictEqual((yield* call("anna", `GET /executions/${id}/result?wait_seconds=30`)).status, 200)
    })
  )
})

describe("lists of executions", () => {
  it.live("hold no more than 1 MiB of output, and no more of them are sent at once than there is room for", () =>
    Effect.gen(function* () {
      const answerBytes = { perKey: 4_000_000, total: 10_000_000 }
      const { call, open, run } = yield* ExecutionHost.start({ limits: { answerBytes } })
      yield* Effect.forEach(Array.from({ length: 40 }), () => run("anna", "fill stdout 40000\nfill stderr 40000"), {
        concurrency: 8
      })
      const page = yield* call("anna", "GET /executions?limit=40")
      const texts: ReadonlyArray<string> = page.body.executions.flatMap((each: Record<string, string>) => [
        each["stdout"],
        each["stderr"]
      ])
      const bytes = texts.map((text) => new TextEncoder().encode(text).length)
      assert.isAbove(Math.min(...bytes), 10_000)
      // What is no UTF-8 is three bytes long as U+FFFD, one of four in the pattern.
      assert.isBelow(
        bytes.reduce((sum, length) => sum + length, 0),
        2 * 1024 ** 2
      )
      const unread = yield* open("anna", "GET /executions?limit=40")
      const refused = yield* call("anna", "GET /executions?limit=40")
      assert.deepStrictEqual([refused.status, refused.body.resource], [429, "bytes of answers"])
      yield* Effect.promise(() => unread.text())
      assert.strictEqual((yield* call("anna", "GET /executions?limit=40")).status, 200)
    })
  )
})
