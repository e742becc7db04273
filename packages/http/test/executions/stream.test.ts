import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as ExecutionHost from "../support/ExecutionHost.ts"
import * as SseReader from "../support/SseReader.ts"

type Message = SseReader.Message
const typesOf = (messages: ReadonlyArray<Message>) => messages.map(({ data }) => data.event_type)
const textOf = (messages: ReadonlyArray<Message>, stream: string) =>
  messages
    .filter(({ data }) => data.event_type === "output" && data["stream"] === stream)
    .map(({ data }) => data["data"])
    .join("")
const greeting = ["connected", "subscribed", "status"]

type Host = Effect.Success<ReturnType<typeof ExecutionHost.start>>
const followed = (host: Host, id: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(host.open("anna", `GET /executions/${id}/stream`, { headers }), (response) =>
    Stream.runCollect(SseReader.messages(response))
  )

describe("GET /executions/{id}/stream", () => {
  it.live("tells everything of a running execution as it comes, ends with the result and closes", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out one\nhold\nerr two\nexit 5")
      const response = yield* host.open("anna", `GET /events/executions/${id}`)
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
      assert.strictEqual(response.headers.get("cache-control"), "no-cache, no-transform")
      assert.strictEqual(response.headers.get("x-accel-buffering"), "no")
      const seen = yield* SseReader.messages(response).pipe(
        // The script goes on only once its first line has come through.
        Stream.tap(({ data }) => (data["data"] === "one\n" ? host.release : Effect.void)),
        Stream.runCollect
      )
      const types = typesOf(seen)
      assert.deepStrictEqual(types.slice(0, 3), greeting)
      assert.deepStrictEqual(
        types.slice(3).filter((type) => type !== "output"),
        [
          "execution_requested",
          "execution_accepted",
          "execution_queued",
          "execution_started",
          "execution_running",
          "execution_failed",
          "result_stored"
        ]
      )
      assert.strictEqual(textOf(seen, "stdout"), "one\n")
      assert.strictEqual(textOf(seen, "stderr"), "two\n")
      assert.isBelow(types.lastIndexOf("output"), types.indexOf("execution_failed"))
      const last = seen.at(-1)?.data
      assert.deepInclude(last?.["result"], { execution_id: id, status: "failed", stdout: "one\n", exit_code: 5 })
      assert.isString(last?.["event_id"])
      for (const { data } of seen) assert.strictEqual(data["execution_id"], id)
    })
  )

  it.live("tells the same to a reader who comes after the end", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.run("anna", "out one\nerr two")
      const seen = yield* followed(host, id)
      assert.deepStrictEqual(typesOf(seen).slice(0, 3), greeting)
      assert.deepInclude(seen[2]?.data, { status: "completed" })
      assert.deepStrictEqual([textOf(seen, "stdout"), textOf(seen, "stderr")], ["one\n", "two\n"])
      assert.strictEqual(typesOf(seen).at(-1), "result_stored")
    })
  )

  it.live("closes for a cancelled execution too", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out one\nhold")
      const response = yield* host.open("anna", `GET /executions/${id}/stream`)
      const seen = yield* SseReader.messages(response).pipe(
        Stream.tap(({ data }) =>
          data.event_type === "output" ? host.call("anna", `POST /executions/${id}/cancel`) : Effect.void
        ),
        Stream.runCollect
      )
      assert.deepStrictEqual(typesOf(seen).slice(-2), ["execution_cancelled", "result_stored"])
      assert.strictEqual(seen.at(-1)?.data["result"].status, "cancelled")
    })
  )

  it.live("goes on from any id with exactly the rest", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      // é and € come in pieces, mixed with the other stream; ff is no UTF-8; the last e2 stays alone.
      const script = ["out a", "hex stdout c3", "err b", "hex stdout a9e282", "hex stdout acff", "hex stderr e2"].join(
        "\n"
      )
      const id = yield* host.run("anna", script)
      const whole = (yield* followed(host, id)).filter(({ id }) => id !== undefined)
      assert.strictEqual(new Set(whole.map(({ id }) => id)).size, whole.length)
      assert.strictEqual(textOf(whole, "stdout"), "a\né€\ufffd")
      assert.strictEqual(textOf(whole, "stderr"), "b\n\ufffd")
      for (const [i, { id: lastId }] of whole.entries()) {
        if (i === whole.length - 1) continue
        const rest = yield* followed(host, id, { "last-event-id": lastId ?? "" })
        assert.deepStrictEqual(typesOf(rest).slice(0, 3), greeting)
        const told = rest.filter(({ id }) => id !== undefined)
        assert.deepStrictEqual(factsOf(told), factsOf(whole.slice(i + 1)), `behind ${lastId}`)
        for (const name of ["stdout", "stderr"])
          assert.strictEqual(textOf(whole.slice(0, i + 1), name) + textOf(told, name), textOf(whole, name))
        const byQuery = yield* host.call("anna", `GET /executions/${id}/stream?last_event_id=${lastId}`)
        assert.strictEqual(byQuery.text.match(/^id: /gm)?.length, told.length)
      }
      const nothing = yield* host.call("anna", `GET /executions/${id}/stream`, { headers: { "last-event-id": "end" } })
      assert.deepStrictEqual([whole.at(-1)?.id, nothing.status, nothing.text], ["end", 204, ""])
    })
  )

  it.live("never cuts a character, however a live script writes it", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out go\nhex stdout f09f\nhold\nhex stdout 9880\nhex stdout ff41")
      const response = yield* host.open("anna", `GET /executions/${id}/stream`)
      const seen = yield* SseReader.messages(response).pipe(
        Stream.tap(({ data }) => (data.event_type === "output" ? host.release : Effect.void)),
        Stream.runCollect
      )
      const outputs = seen.filter(({ data }) => data.event_type === "output").map(({ data }) => data)
      assert.strictEqual(textOf(seen, "stdout"), "go\n😀\ufffdA")
      assert.isUndefined(outputs[0]?.["data_base64"])
      const bytes = outputs.map((data) =>
        Buffer.from(data["data_base64"] ?? data["data"], data["data_base64"] ? "base64" : "utf8")
      )
      assert.strictEqual(Buffer.concat(bytes).toString("hex"), "676f0af09f9880ff41")
      let offset = 0
      for (const [i, data] of outputs.entries()) {
        assert.strictEqual(data["offset"], offset)
        offset += bytes[i]?.length ?? 0
      }
    })
  )

  it.live("begins anew for an id that is none of ours", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.run("anna", "out one")
      const [whole, other] = [yield* followed(host, id), yield* followed(host, id, { "last-event-id": "42" })]
      assert.deepStrictEqual(factsOf(other), factsOf(whole))
    })
  )

  it.live("gives a user 5 at once, and the place of a closed one to the next", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "hold")
      const path = `GET /executions/${id}/stream`
      const open = Effect.scoped(
        Effect.gen(function* () {
          for (let i = 0; i < 5; i++) assert.strictEqual((yield* host.open("anna", path)).status, 200)
          const { body, headers, status } = yield* host.call("anna", path)
          assert.deepStrictEqual([status, body.code, body.maximum], [429, "TOO_MANY_STREAMS", 5])
          assert.strictEqual(headers.get("retry-after"), "5")
          assert.strictEqual((yield* host.call("olga", `GET /executions/${id}`)).status, 200)
          assert.strictEqual((yield* host.open("olga", path)).status, 200)
        })
      )
      yield* open
      // The closing of the others is noticed, not announced.
      yield* host.streams.snapshot.pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ connections }) => connections === 0, times: 400 })
      )
      assert.strictEqual((yield* host.open("anna", path)).status, 200)
    })
  )

  it.live("holds no place for a HEAD request", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "hold")
      for (let i = 0; i < 6; i++)
        assert.strictEqual((yield* host.open("anna", `HEAD /executions/${id}/stream`)).status, 200)
      assert.strictEqual((yield* host.streams.snapshot).connections, 0)
    })
  )

  it.effect("sends a heartbeat without an id while nothing happens", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out ready\nhold")
      const response = yield* host.open("anna", `GET /executions/${id}/stream`)
      const reading = yield* SseReader.messages(response).pipe(
        Stream.takeUntil(({ data }) => data.event_type === "heartbeat"),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* TestClock.adjust("15 seconds")
      const last = (yield* Fiber.join(reading)).at(-1)
      assert.deepStrictEqual([last?.data.event_type, last?.id], ["heartbeat", undefined])
    })
  )

  it.live("ends when the caller's credential is revoked, and says so", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out one\nhold")
      const response = yield* host.open("anna", `GET /executions/${id}/stream`)
      const seen = yield* SseReader.messages(response).pipe(
        Stream.tap(({ data }) => (data.event_type === "output" ? host.revoke : Effect.void)),
        Stream.runCollect
      )
      const last = seen.at(-1)
      assert.deepStrictEqual([last?.data.event_type, last?.id], ["error", undefined])
    })
  )

  it.live("says goodbye when the host goes away, also to those who come later", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* host.submit("anna", "out one\nhold")
      const response = yield* host.open("anna", `GET /executions/${id}/stream`)
      const seen = yield* SseReader.messages(response).pipe(
        Stream.tap(({ data }) => (data.event_type === "output" ? Effect.forkChild(host.streams.drain) : Effect.void)),
        Stream.runCollect
      )
      assert.deepInclude(seen.at(-1)?.data, { event_type: "shutdown", grace_period: 30 })
      const late = yield* followed(host, id)
      assert.strictEqual(late.at(-1)?.data.event_type, "shutdown")
    })
  )
})

/** What a message tells, without what differs from one connection to the next. */
const factsOf = (messages: ReadonlyArray<Message>) =>
  messages.filter(({ id }) => id !== undefined).map(({ id, data: { timestamp: _, ...data } }) => ({ id, data }))
