/** Rivals for one concurrency key, on two hosts that share a server: what each is told holds for all. */
import { assert, describe, it } from "@effect/vitest"
import type { ConcurrencyPolicy } from "@fairlead/core/executions/ConcurrencyPolicy"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import { SessionId } from "@fairlead/core/ids/SessionId"
import * as MemoryScriptRuntime from "@fairlead/core/runtime/MemoryScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { userId, uuid } from "@fairlead/testing/fixtures/Uuid"
import { Context, Effect, Equal, Layer, type Redacted } from "effect"
import { freshDatabase } from "./support/freshDatabase.ts"

const unavailable = process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined

const alice = {
  userId: userId(1),
  username: "alice",
  role: "user",
  grants: { "executions:read": "own", "executions:run": "own", "executions:write": "own" },
  credential: { _tag: "Bearer", sessionId: SessionId.make(uuid(1)) }
} as const

const hostOn = (url: Redacted.Redacted, node: string) =>
  Layer.build(
    layerExecutions({ instanceName: node, maxRunning: 4 }).pipe(
      Layer.provide(MemoryScriptRuntime.layer(undefined, node).pipe(Layer.provideMerge(ScriptRuntimes.layer))),
      Layer.provide(Layer.merge(PostgresStorage.layer({ url, repairInterval: "200 millis" }), Secrets.layerMemory))
    )
  ).pipe(Effect.map(Context.get(Executions)))

/** All at once, on both hosts in turn. */
const submitAll = Effect.fnUntraced(function* (
  hosts: ReadonlyArray<Executions["Service"]>,
  policies: ReadonlyArray<ConcurrencyPolicy>,
  script: string
) {
  return yield* Effect.forEach(
    policies.flatMap((concurrencyPolicy, i) => {
      const executions = hosts[i % hosts.length]
      const request = { script, lang: "lines", langVersion: "1", concurrencyKey: "deploy", concurrencyPolicy }
      return executions === undefined ? [] : [executions.submit(alice, request, { correlationId: "c" })]
    }),
    (submission) => submission,
    { concurrency: policies.length }
  )
})
const endOf = (executions: Executions["Service"], id: Parameters<Executions["Service"]["result"]>[1]) =>
  Effect.map(executions.result(alice, id, 30_000), ({ execution }) => execution)

describe.skipIf(unavailable)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  it.live(
    "of many that skip exactly one runs, and the others name it",
    () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const hosts = [yield* hostOn(url, "a"), yield* hostOn(url, "b")] as const
        for (let round = 0; round < 3; round++) {
          const made = yield* submitAll(
            hosts,
            Array.from({ length: 12 }, () => "skip"),
            "hang"
          )
          const ran = made.filter(({ status }) => status === "queued")
          assert.strictEqual(ran.length, 1)
          const [holder] = ran
          for (const { executionId, outcome } of made)
            if (executionId !== holder?.executionId) {
              assert.strictEqual(outcome?.errorCause, "skipped")
              assert.include(outcome?.errorMessage, holder?.executionId)
            }
          for (const { executionId } of ran)
            yield* hosts[1].cancel(alice, executionId, "enough", { correlationId: "c" })
          for (const { executionId } of ran)
            for (const host of hosts) assert.strictEqual((yield* endOf(host, executionId)).status, "cancelled")
        }
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "of many that replace exactly one is left, and no two ever run side by side",
    () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const hosts = [yield* hostOn(url, "a"), yield* hostOn(url, "b")] as const
        const policies = ["queue", "queue", ...Array.from({ length: 8 }, () => "replace" as const)] as const
        const first = yield* submitAll(hosts, policies.slice(0, 2), "hang")
        const rivals = yield* submitAll(hosts, policies.slice(2), "hang")
        const look = Effect.forEach([...first, ...rivals], ({ executionId }, i) =>
          hosts[i % 2 === 0 ? 0 : 1].get(alice, executionId)
        )
        const statuses = [...Array.from({ length: first.length + rivals.length - 1 }, () => "cancelled"), "running"]
        const settled = yield* look.pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: (all) => Equal.equals(all.map(({ status }) => status).toSorted(), statuses) }),
          Effect.timeoutOrElse({ duration: "50 seconds", orElse: () => Effect.die("not exactly one is left") })
        )
        const left = settled.filter(({ status }) => status === "running")
        for (const { errorMessage } of settled.flatMap(({ outcome }) => outcome ?? []))
          assert.isTrue(rivals.some(({ executionId }) => errorMessage?.includes(executionId)))
        for (const { executionId } of left) yield* hosts[0].cancel(alice, executionId, "enough", { correlationId: "c" })
        for (const { executionId } of left) yield* endOf(hosts[1], executionId)
        const ends = yield* look
        const times = ends
          .flatMap(({ finishedAt, startedAt }) => (startedAt && finishedAt ? [[startedAt, finishedAt] as const] : []))
          .toSorted(([a], [b]) => a.epochMilliseconds - b.epochMilliseconds)
        for (const [i, [start]] of times.entries())
          if (i > 0) assert.isAtLeast(start.epochMilliseconds, times[i - 1]?.[1].epochMilliseconds ?? 0)
      }).pipe(Effect.scoped),
    60_000
  )
})
