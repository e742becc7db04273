import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as ExecutionHost from "../support/ExecutionHost.ts"
import * as SseReader from "../support/SseReader.ts"

type Host = Effect.Success<ReturnType<typeof ExecutionHost.start>>
const retry = { max_attempts: 3, backoff_seconds: 0, on: ["script_error"] }
// The last character is not complete, so each attempt holds it back until its end.
const script = "out try\nerr oh\nhex stdout 61c3\nexit 7"

const retried = Effect.fnUntraced(function* (host: Host) {
  const made = yield* host.call("anna", "POST /executions?wait_seconds=30", { body: { script, retry } })
  assert.strictEqual(made.body.result?.status, "failed")
  const id: string = made.body.execution_id
  return id
})
const followed = Effect.fnUntraced(function* (host: Host, id: string, headers: Readonly<Record<string, string>> = {}) {
  const response = yield* host.open("anna", `GET /executions/${id}/stream`, { headers })
  return (yield* Stream.runCollect(SseReader.messages(response))).filter((message) => message.id !== undefined)
})
/** What each attempt wrote to each stream, as the messages tell it. */
const outputOf = (messages: ReadonlyArray<SseReader.Message>) => {
  const texts: Record<string, string> = {}
  for (const { data } of messages) {
    if (data.event_type !== "output") continue
    const name = `${data["attempt"]} ${data["stream"]}`
    const before = texts[name] ?? ""
    assert.strictEqual(data["offset"], Buffer.byteLength(before), `${name} has a gap`)
    texts[name] = before + data["data"]
  }
  return texts
}
const each = { "1 stdout": "try\na\ufffd", "2 stdout": "try\na\ufffd", "3 stdout": "try\na\ufffd" }
const whole = { ...each, "1 stderr": "oh\n", "2 stderr": "oh\n", "3 stderr": "oh\n" }

describe("An execution that is tried again", () => {
  it.live("is told with all its attempts, each with output of its own", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* retried(host)
      const { body } = yield* host.call("anna", `GET /executions/${id}`)
      assert.deepInclude(body, { status: "failed", attempt: 3, exit_code: 7, retry })
      assert.lengthOf(body.earlier_attempts, 2)
      const { attempts } = (yield* host.call("anna", `GET /executions/${id}/attempts`)).body
      assert.deepStrictEqual(
        attempts.map(({ attempt }: { attempt: number }) => attempt),
        [1, 2, 3]
      )
      for (const attempt of attempts) {
        const end = { status: "failed", exit_code: 7, error_type: "script_error", error_cause: "exit:7" }
        assert.deepInclude(attempt, { ...end, node_id: "process/stage", stdout_bytes: 6, stderr_bytes: 3 })
        assert.isString(attempt.started_at)
        assert.isString(attempt.finished_at)
      }
      assert.deepStrictEqual(attempts.slice(0, 2), body.earlier_attempts)
      const log = yield* host.call("anna", `GET /executions/${id}/logs?attempt=1&stream=stderr`)
      assert.deepStrictEqual([log.text, log.headers.get("x-output-attempt")], ["oh\n", "1"])
      assert.deepStrictEqual(
        [log.headers.get("x-output-ended"), log.headers.get("x-output-last-attempt")],
        ["true", "false"]
      )
      const last = yield* host.call("anna", `GET /executions/${id}/logs?stream=stderr`)
      assert.deepStrictEqual(
        [last.headers.get("x-output-attempt"), last.headers.get("x-output-last-attempt")],
        ["3", "true"]
      )
      const second = yield* host.call("anna", `GET /executions/${id}/result?attempt=2`)
      assert.deepInclude(second.body, { attempt: 2, status: "failed", stderr: "oh\n", exit_code: 7 })
    })
  )

  it.live.each(["logs?attempt=4", "logs?attempt=4&follow=true", "result?attempt=4"])("has no %s", (rest) =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* retried(host)
      const { body, status } = yield* host.call("anna", `GET /executions/${id}/${rest}`)
      assert.deepStrictEqual([status, body.code, body.attempt, body.attempts], [404, "ATTEMPT_NOT_FOUND", 4, 3])
      assert.strictEqual((yield* host.call("bert", `GET /executions/${id}/${rest}`)).body.code, "EXECUTION_NOT_FOUND")
      assert.strictEqual((yield* host.call("bert", `GET /executions/${id}/attempts`)).status, 404)
    })
  )

  it.live("is followed live through every attempt: output once, in order, before the event that ends it", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const body = { script: `hold\n${script}`, retry }
      const id: string = (yield* host.call("anna", "POST /executions", { body })).body.execution_id
      const response = yield* host.open("anna", `GET /executions/${id}/stream`)
      const seen = yield* SseReader.messages(response).pipe(
        Stream.tap(({ data }) => (data.event_type === "execution_running" ? host.release : Effect.void)),
        Stream.runCollect
      )
      assert.deepStrictEqual(outputOf(seen), whole)
      const ends = seen.flatMap(({ data }, i) => (data.event_type === "execution_attempt_failed" ? [i] : []))
      assert.lengthOf(ends, 2)
      const attemptsBefore = (end: number) =>
        new Set(seen.slice(0, end).flatMap(({ data }) => (data.event_type === "output" ? [data["attempt"]] : [])))
      assert.deepStrictEqual(
        ends.map((end) => [...attemptsBefore(end)]),
        [[1], [1, 2]]
      )
      assert.deepInclude(seen.at(-1)?.data["result"], { attempt: 3, stdout: "try\na\ufffd", exit_code: 7 })
    })
  )

  it.live("goes on from any id with exactly the rest, whatever attempt that is in", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* retried(host)
      const all = yield* followed(host, id)
      assert.deepStrictEqual(outputOf(all), whole)
      assert.strictEqual(new Set(all.map((message) => message.id)).size, all.length)
      for (const [i, message] of all.slice(0, -1).entries()) {
        const rest = yield* followed(host, id, { "last-event-id": message.id ?? "" })
        assert.deepStrictEqual(
          rest.map((other) => other.id),
          all.slice(i + 1).map((other) => other.id),
          `behind ${message.id}`
        )
        assert.deepStrictEqual(outputOf([...all.slice(0, i + 1), ...rest]), whole)
      }
    })
  )

  it.live("has each attempt followed by itself as bytes", () =>
    Effect.gen(function* () {
      const host = yield* ExecutionHost.start()
      const id = yield* retried(host)
      for (const attempt of [1, 2, 3]) {
        const part = yield* host.call("anna", `GET /executions/${id}/logs?follow=true&attempt=${attempt}&offset=2`)
        assert.deepStrictEqual([part.status, part.headers.get("x-output-attempt")], [200, `${attempt}`])
        assert.strictEqual(part.text, "y\na\ufffd")
      }
    })
  )
})
