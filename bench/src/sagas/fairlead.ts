/**
 * Fairlead: the whole core over PostgreSQL, with a runtime whose jobs end at once. An item is an execution: accepted, let in,
 * its saga driven through six steps with an event log of its own, ended, and its job removed.
 */
import { grantsOf } from "@fairlead/core/auth/roles/Role"
import type { ExecutionFilter } from "@fairlead/core/executions/ExecutionStore"
import { Executions } from "@fairlead/core/executions/Executions"
import { layerExecutions } from "@fairlead/core/Fairlead"
import { SessionId } from "@fairlead/core/ids/SessionId"
import { UserId } from "@fairlead/core/ids/UserId"
import type { JobReport } from "@fairlead/core/runtime/Job"
import { jobIdOf } from "@fairlead/core/runtime/JobId"
import { ResourceUsage } from "@fairlead/core/runtime/ResourceUsage"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import * as PostgresStorage from "@fairlead/postgres/PostgresStorage"
import { Effect, Layer, ManagedRuntime, Option, Redacted, Stream } from "effect"
import { makeEnds, maxAtOnce, maxConnections, type Start } from "./Contender.ts"

const report: JobReport = {
  end: { _tag: "Exited", exitCode: 0 },
  usage: new ResourceUsage({ executionTimeWallSeconds: 0, cpuTimeJiffies: 0, clkTckHertz: 100, peakMemoryKb: 0 }),
  stdout: { writtenBytes: 0, keptBytes: 0 },
  stderr: { writtenBytes: 0, keptBytes: 0 }
}

/** Jobs that are over as soon as they are started. Removing one is the last that a saga does, behind its last commit. */
const idleRuntime = (removed: (jobId: string) => void): ScriptRuntime => ({
  kind: "process",
  node: "bench",
  languages: [{ name: "none", versions: ["1.0.0"], fileExtension: "txt" }],
  isolation: "none: nothing runs",
  start: ({ jobId }) => Effect.succeed({ runtime: "process", jobId, node: "bench" }),
  observe: () => Stream.succeed({ _tag: "Ended", report }),
  stop: () => Effect.void,
  remove: ({ jobId }) => Effect.sync(() => removed(jobId)),
  list: Effect.succeed([]),
  inspect: () => Effect.succeed(Option.none())
})

const id = "019a0000-0000-7000-8000-000000000001"
const caller = {
  userId: UserId.make(id),
  username: "bench",
  role: "user" as const,
  grants: grantsOf("user"),
  credential: { _tag: "Bearer" as const, sessionId: SessionId.make(id) }
}
const request = { script: "nothing", lang: "none", langVersion: "1" }
const origin = { correlationId: "bench" }

/** A host in this process, and what it can be asked. */
export const startHost = async (databaseUrl: string) => {
  const ends = makeEnds()
  const register = Layer.effectDiscard(
    Effect.flatMap(ScriptRuntimes, (runtimes) => runtimes.register(idleRuntime(ends.reached)))
  ).pipe(Layer.provideMerge(ScriptRuntimes.layer))
  const host = layerExecutions({ instanceName: "bench", maxRunning: maxAtOnce }).pipe(
    Layer.provide(register),
    Layer.provide(Secrets.layerMemory),
    Layer.provide(PostgresStorage.layer({ url: Redacted.make(databaseUrl), maxConnections }))
  )
  const runtime = ManagedRuntime.make(host)
  const submit = Effect.flatMap(Executions, (executions) => executions.submit(caller, request, origin))
  const result = (executionId: Effect.Success<typeof submit>["executionId"]) =>
    Effect.flatMap(Executions, (executions) => executions.result(caller, executionId, 60_000))
  await runtime.runPromise(Executions)
  const run = async () => {
    const { executionId } = await runtime.runPromise(submit)
    await ends.of(jobIdOf(executionId, 1))
  }
  const list = (filter: Omit<ExecutionFilter, "ownerId" | "limit" | "offset">, offset = 0) =>
    runtime.runPromise(
      Effect.flatMap(Executions, (executions) =>
        executions.list(caller, { ...filter, scope: "own", limit: 50, offset })
      )
    )
  return { runtime, submit, result, run, list, stop: () => runtime.dispose() }
}

/** An item has ended when its saga has, in this process. */
export const untilEnded: Start = async (databaseUrl) => {
  const { run, stop } = await startHost(databaseUrl)
  return { run, stop }
}

/** An item has ended when `Executions.result` says so, as it does to a client of any host. */
export const untilResult: Start = async (databaseUrl) => {
  const { result, runtime, stop, submit } = await startHost(databaseUrl)
  return {
    stop,
    run: async () => {
      const { execution } = await runtime.runPromise(Effect.flatMap(submit, ({ executionId }) => result(executionId)))
      if (execution.status !== "completed") throw new Error(`an execution ended ${execution.status}`)
    }
  }
}
