/** The whole core over memory adapters: the real engine, driver, saga, feed; scripts are lines of directions. */
import { assert, describe, it } from "@effect/vitest"
import type { Principal } from "@fairlead/core/auth/Principal"
import { grantsOf } from "@fairlead/core/auth/roles/Role"
import { SessionId } from "@fairlead/core/auth/sessions/SessionId"
import { EventLog } from "@fairlead/core/events/EventLog"
import { AdmissionPolicy } from "@fairlead/core/executions/ExecutionAdmission"
import { ExecutionFeed, type FeedItem } from "@fairlead/core/executions/ExecutionFeed"
import type { ExecutionId } from "@fairlead/core/executions/ExecutionId"
import { defaultLimitPolicy } from "@fairlead/core/executions/ExecutionLimits"
import type { ExecutionRequest } from "@fairlead/core/executions/ExecutionRequest"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Sagas } from "@fairlead/core/sagas/Sagas"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import { Storage } from "@fairlead/core/storage/Storage"
import { userId, uuid } from "@fairlead/testing/fixtures/Uuid"
import { Effect, Layer, Redacted, Stream } from "effect"

const principal = (n: number, role: "user" | "admin" | "operator" = "user"): Principal => ({
  userId: userId(n),
  username: `user-${n}`,
  role,
  grants: grantsOf(role),
  credential: { _tag: "Bearer", sessionId: SessionId.make(uuid(n)) }
})
const [alice, bob, admin] = [principal(1), principal(2), principal(3, "admin")]
const origin = { correlationId: "c-1" }
const lines = (script: string, more: Partial<ExecutionRequest> = {}): ExecutionRequest => ({
  script,
  lang: "lines",
  langVersion: "1",
  ...more
})

const host = (maxRunning = 10) =>
  layerExecutions({ hostName: "host-a", maxRunning, maxDrivers: 20 }).pipe(
    Layer.provideMerge(MemoryScriptRuntime.layer()),
    Layer.provideMerge(Layer.mergeAll(Storage.layerMemory, Secrets.layerMemory, ScriptRuntimes.layer))
  )
type Host = Layer.Success<ReturnType<typeof host>>
const live = <E>(name: string, work: Effect.Effect<void, E, Host>, maxRunning?: number) =>
  it.live(name, () => Effect.provide(work, host(maxRunning)), 10_000)

const submit = (request: ExecutionRequest, caller = alice) =>
  Effect.flatMap(Executions, (executions) => executions.submit(caller, request, origin))
const result = (id: ExecutionId, caller = alice) =>
  Effect.flatMap(Executions, (executions) => executions.result(caller, id, 5_000))
const run = (request: ExecutionRequest) => Effect.flatMap(submit(request), ({ executionId }) => result(executionId))
const tagsOf = (id: ExecutionId) =>
  Effect.flatMap(EventLog, (log) => log.readStream(`execution/${id}`, { afterVersion: 0, limit: 100 })).pipe(
    Effect.map((events) => events.map(({ event }) => event._tag))
  )
const running = (id: ExecutionId) =>
  Effect.flatMap(Executions, (executions) => executions.get(alice, id)).pipe(
    Effect.delay("5 millis"),
    Effect.repeat({ until: ({ status }) => status === "running", times: 1000 })
  )

describe("Executions.submit", () => {
  live(
    "runs a script to its end and tells every step of it",
    Effect.gen(function* () {
      const { execution, stderr, stdout } = yield* run(lines("out hello\nerr oops\nexit 0"))
      assert.deepStrictEqual(
        [execution.status, stdout, stderr, execution.attempt],
        ["completed", "hello\n", "oops\n", 1]
      )
      assert.deepInclude(execution.outcome, { exitCode: 0, stdoutBytes: 6, stderrBytes: 5, truncated: false })
      assert.deepStrictEqual(yield* tagsOf(execution.executionId), [
        "ExecutionRequested",
        "ExecutionAccepted",
        "SagaStarted",
        "ExecutionQueued",
        "ExecutionStarted",
        "ExecutionRunning",
        "ExecutionCompleted",
        "ResultStored",
        "SagaCompleted"
      ])
    })
  )

  live(
    "reports how a script failed",
    Effect.gen(function* () {
      const failed = yield* run(lines("exit 3"))
      assert.deepInclude(failed.execution.outcome, { exitCode: 3, errorType: "script_error", errorCause: "exit:3" })
      const killed = yield* run(lines("exceed memory"))
      assert.deepInclude(killed.execution.outcome, { errorType: "resource_limit", errorCause: "memory" })
      assert.deepStrictEqual([failed.execution.status, killed.execution.status], ["failed", "failed"])
    })
  )

  live(
    "gives the script its arguments and its environment, and stores the latter sealed",
    Effect.gen(function* () {
      const env = Redacted.make({ TOKEN: "s3cret" })
      const { execution, stdout } = yield* run(lines("env TOKEN\nargs", { env, args: ["a", "b c"] }))
      assert.include(stdout, "s3cret")
      assert.include(stdout, "b c")
      assert.notInclude(JSON.stringify(execution), "s3cret")
    })
  )

  live(
    "ends a script that outlives its timeout",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("out before\nhang", { limits: { timeoutMillis: 100 } }))
      assert.deepStrictEqual([execution.status, execution.outcome?.errorType], ["timeout", "timeout"])
    })
  )

  live(
    "refuses what the host cannot do or does not grant",
    Effect.gen(function* () {
      const unknown = yield* Effect.flip(submit(lines("", { lang: "cobol" })))
      assert.strictEqual(unknown._tag, "LanguageUnsupported")
      const greedy = yield* Effect.flip(submit(lines("", { limits: { timeoutMillis: 7_200_000 } })))
      assert.deepInclude(greedy, {
        _tag: "LimitTooHigh",
        limits: [{ limit: "timeoutMillis", requested: 7_200_000, maximum: 3_600_000 }]
      })
    })
  )

  it.live("refuses more active executions than a user may have, and takes the next once one ends", () =>
    Effect.gen(function* () {
      const first = yield* submit(lines("hang"))
      const refused = yield* Effect.flip(submit(lines("hang")))
      assert.deepInclude(refused, { _tag: "QueueFull", scope: "user", maximum: 1 })
      yield* submit(lines("exit 0"), bob)
      yield* (yield* Executions).cancel(alice, first.executionId, undefined, origin)
      yield* result(first.executionId)
      yield* submit(lines("exit 0"))
    }).pipe(
      Effect.provide(host()),
      Effect.provideService(AdmissionPolicy, { limits: defaultLimitPolicy, maxActive: 100, maxActivePerUser: 1 })
    )
  )

  live(
    "answers the same key and request with the first execution, and refuses the key for another",
    Effect.gen(function* () {
      const keyed = lines("out once", { idempotencyKey: "k" })
      const [a, b] = yield* Effect.all([submit(keyed), submit(keyed)], { concurrency: 2 })
      assert.strictEqual(a.executionId, b.executionId)
      const other = yield* Effect.flip(submit({ ...keyed, script: "out twice" }))
      assert.deepInclude(other, { _tag: "IdempotencyKeyReused", executionId: a.executionId })
      assert.notStrictEqual((yield* submit(keyed, bob)).executionId, a.executionId)
      assert.strictEqual((yield* (yield* Executions).list(alice, { scope: "own", limit: 10, offset: 0 })).total, 1)
    })
  )

  live(
    "lets as many run as there are slots, the urgent before the others",
    Effect.gen(function* () {
      const first = yield* submit(lines("hang"))
      yield* running(first.executionId)
      const [normal, urgent] = [yield* submit(lines("exit 0")), yield* submit(lines("exit 0", { priority: 0 }))]
      yield* Effect.repeat(Effect.delay(tagsOf(urgent.executionId), "5 millis"), { until: (tags) => tags.length >= 3 })
      yield* Effect.sleep("50 millis")
      yield* (yield* Executions).cancel(alice, first.executionId, undefined, origin)
      const [a, b] = [yield* result(normal.executionId), yield* result(urgent.executionId)]
      assert.isTrue((a.execution.startedAt?.epochMilliseconds ?? 0) >= (b.execution.startedAt?.epochMilliseconds ?? 1))
    }),
    1
  )
})

describe("Executions.cancel", () => {
  live(
    "ends a running script, undoes the saga, and says who asked",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("out started\nhang"))
      yield* running(executionId)
      const executions = yield* Executions
      const { requested } = yield* executions.cancel(alice, executionId, "enough", origin)
      const { execution, stdout } = yield* result(executionId)
      assert.deepStrictEqual([requested, execution.status, stdout], [true, "cancelled", "started\n"])
      const { sagas } = yield* (yield* Sagas).list(alice, { executionId, limit: 1, offset: 0 })
      assert.deepStrictEqual(
        [sagas[0]?.state, sagas[0]?.compensatedSteps, sagas[0]?.cancelRequest?.by],
        ["cancelled", ["start_job", "queue_execution"], "user-1"]
      )
      assert.includeMembers(yield* tagsOf(executionId), ["ExecutionCancelled", "ResultStored", "SagaCancelled"])
      assert.isFalse((yield* executions.cancel(alice, executionId, undefined, origin)).requested)
    })
  )

  live(
    "ends one that waits for a slot, without starting it",
    Effect.gen(function* () {
      const first = yield* submit(lines("hang"))
      yield* running(first.executionId)
      const { executionId } = yield* submit(lines("out never"))
      yield* (yield* Executions).cancel(alice, executionId, undefined, origin)
      const { execution } = yield* result(executionId)
      assert.deepStrictEqual([execution.status, execution.attempt], ["cancelled", 0])
      yield* (yield* Executions).cancel(alice, first.executionId, undefined, origin)
    }),
    1
  )

  live(
    "is refused once the execution has ended in another way",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("exit 0"))
      const refused = yield* Effect.flip((yield* Executions).cancel(alice, execution.executionId, undefined, origin))
      assert.deepInclude(refused, { _tag: "ExecutionEnded", executionStatus: "completed" })
    })
  )
})

describe("Executions", () => {
  live(
    "shows nobody the executions of others, and an administrator all",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("out mine"))
      const [executions, id] = [yield* Executions, execution.executionId]
      const range = { output: "stdout", offset: 0, limit: 10 } as const
      const refused = yield* Effect.all([
        Effect.flip(executions.get(bob, id)),
        Effect.flip(executions.result(bob, id, 0)),
        Effect.flip(executions.cancel(bob, id, undefined, origin)),
        Effect.flip(executions.retry(bob, id, origin)),
        Effect.flip(executions.remove(alice, id, origin)),
        Effect.flip(executions.output(bob, id, range)),
        Effect.flip((yield* ExecutionFeed).follow(bob, id, undefined))
      ])
      assert.deepStrictEqual(new Set(refused.map(({ _tag }) => _tag)), new Set(["ExecutionNotFound"]))
      assert.strictEqual((yield* executions.list(bob, { scope: "visible", limit: 10, offset: 0 })).total, 0)
      assert.strictEqual((yield* executions.get(admin, id)).executionId, id)
    })
  )

  live(
    "retries as a new execution that names its origin",
    Effect.gen(function* () {
      const env = Redacted.make({ NAME: "kept" })
      const { execution } = yield* run(lines("env NAME\nexit 1", { env }))
      const again = yield* (yield* Executions).retry(alice, execution.executionId, origin)
      const second = yield* result(again.executionId)
      assert.strictEqual(again.retryOf, execution.executionId)
      assert.deepStrictEqual([second.execution.status, second.stdout], ["failed", "kept\n"])
    })
  )

  live(
    "removes an execution that runs: it is cancelled first",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("hang"))
      yield* running(executionId)
      const executions = yield* Executions
      yield* executions.remove(admin, executionId, origin)
      assert.strictEqual((yield* Effect.flip(executions.get(admin, executionId)))._tag, "ExecutionNotFound")
      assert.strictEqual((yield* tagsOf(executionId)).at(-1), "ExecutionDeleted")
    })
  )

  live(
    "serves output as ranges of bytes",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("hex 00ff80\nout x"))
      const range = yield* (yield* Executions).output(alice, execution.executionId, {
        output: "stdout",
        offset: 1,
        limit: 3
      })
      assert.deepStrictEqual([[...range.bytes], range.size, range.ended], [[0xff, 0x80, 0x78], 5, true])
    })
  )
})

const followed = (id: ExecutionId, from?: FeedItem["position"]) =>
  Effect.flatMap(ExecutionFeed, (feed) => feed.follow(alice, id, from)).pipe(Effect.flatMap(Stream.runCollect))

/** What a reader learns, whatever the pieces it came in. */
const told = (items: ReadonlyArray<FeedItem>) => ({
  events: items.flatMap((item) => (item._tag === "Event" ? [item.event.streamVersion] : [])),
  stdout: items.flatMap((item) => (item._tag === "Output" && item.output === "stdout" ? [...item.bytes] : [])),
  end: items.at(-1)?._tag
})

describe("ExecutionFeed.follow", () => {
  live(
    "shows output while the script runs, and ends after the last event",
    Effect.gen(function* () {
      const { executionId } = yield* submit(lines("out first\nsleep 100\nout second"))
      const seen: Array<string> = []
      const feed = yield* (yield* ExecutionFeed).follow(alice, executionId, undefined)
      yield* Stream.runForEach(feed, (item) =>
        Effect.gen(function* () {
          const { status } = yield* (yield* Executions).get(alice, executionId)
          seen.push(item._tag === "Event" ? item.event.event._tag : `${item._tag} ${status}`)
        })
      )
      assert.include(seen, "Output running")
      assert.deepStrictEqual(seen.slice(-3), ["ExecutionCompleted", "ResultStored", "End completed"])
    })
  )

  live(
    "resumed from any item it tells exactly the rest",
    Effect.gen(function* () {
      const { execution } = yield* run(lines("out one\nout two\nerr three\nout four"))
      const whole = yield* followed(execution.executionId)
      for (const [i, item] of whole.entries()) {
        const before = told(whole.slice(0, i + 1))
        const rest = told(yield* followed(execution.executionId, item.position))
        assert.deepStrictEqual([...before.events, ...rest.events], told(whole).events)
        assert.deepStrictEqual([...before.stdout, ...rest.stdout], told(whole).stdout)
        assert.strictEqual(rest.end, "End")
      }
    })
  )
})
